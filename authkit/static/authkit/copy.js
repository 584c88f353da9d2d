"use strict";

// A button beside each field marked data-authkit-copy, that copies what stands in it.
document.addEventListener("DOMContentLoaded", () => {
  for (const field of document.querySelectorAll("[data-authkit-copy]")) {
    if (!field.value) continue;
    field.disabled = false; // or nobody could mark it by hand
    field.readOnly = true;
    const button = document.createElement("button");
    button.type = "button";
    button.className = "button";
    button.textContent = field.dataset.authkitCopy;
    button.addEventListener("click", async () => {
      try {
        await navigator.clipboard.writeText(field.value);
      } catch {
        field.select();
        document.execCommand("copy");
      }
      button.textContent = `✓ ${field.dataset.authkitCopy}`;
    });
    field.after(button);
  }
});
