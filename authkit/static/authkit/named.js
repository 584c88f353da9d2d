// Django's search for related rows draws a field of its own, some time after the page is
// there, and leaves it without a name.
"use strict";

{
    const name = (form) => {
        for (const label of form.querySelectorAll("label[for]")) {
            const drawn = document.getElementById(label.htmlFor)?.nextElementSibling;
            const parts = drawn?.querySelectorAll(".select2-selection, .select2-selection__rendered");
            for (const part of parts ?? []) {
                part.removeAttribute("aria-labelledby");
                part.setAttribute("aria-label", label.textContent.trim());
            }
        }
    };
    for (const form of document.querySelectorAll(".ak-narrow")) {
        new MutationObserver(() => name(form)).observe(form, { childList: true, subtree: true });
        name(form);
    }
}
