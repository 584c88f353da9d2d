// Some of what Django draws in its forms has no name, for who hears a page instead of seeing
// it: its search for related rows and its lists to choose from, which are drawn some time after
// the page is there, the two fields of a moment, and what deletes a row of a table.
"use strict";

{
    const textOf = (element) => element?.textContent.trim().replace(/:$/, "") ?? "";

    const nameSearches = (form) => {
        for (const label of form.querySelectorAll("label[for]")) {
            const drawn = document.getElementById(label.htmlFor)?.nextElementSibling;
            const parts = drawn?.querySelectorAll(".select2-selection, .select2-selection__rendered");
            for (const part of parts ?? []) {
                part.removeAttribute("aria-labelledby");
                part.setAttribute("aria-label", label.textContent.trim());
            }
        }
    };

    // In the rows of a table no label says for which column a field is; its head does.
    const headOf = (cell) => textOf(cell?.closest("table")?.tHead?.rows[0]?.cells[cell.cellIndex]);

    const nameSearchesInRows = (form) => {
        for (const part of form.querySelectorAll("td .select2-selection, td .select2-selection__rendered")) {
            part.removeAttribute("aria-labelledby");
            part.setAttribute("aria-label", headOf(part.closest("td")));
        }
    };

    const nameMoments = (form) => {
        for (const field of form.querySelectorAll(".vDateField, .vTimeField")) {
            if (field.labels.length || field.hasAttribute("aria-label")) {
                continue;
            }
            const box = field.closest("fieldset, .form-row, td");
            const whole = textOf(box?.querySelector("legend, label")) || headOf(field.closest("td"));
            const part = textOf(field.previousSibling);
            field.setAttribute("aria-label", [whole, part].filter(Boolean).join(": "));
        }
    };

    const nameDeletions = (form) => {
        for (const box of form.querySelectorAll("td.delete input[type=checkbox]")) {
            box.setAttribute("aria-label", headOf(box.closest("td")));
        }
    };

    const nameSigns = (form) => {
        for (const sign of form.querySelectorAll(".help-tooltip[aria-label]:not([role])")) {
            sign.setAttribute("role", "img");
        }
    };

    const name = (form) => {
        nameSearchesInRows(form);
        nameSearches(form);
        nameMoments(form);
        nameDeletions(form);
        nameSigns(form);
    };

    document.addEventListener("DOMContentLoaded", () => {
        for (const form of document.querySelectorAll(".ak-narrow, #content-main form")) {
            new MutationObserver(() => name(form)).observe(form, { childList: true, subtree: true });
            name(form);
        }
    });
}
