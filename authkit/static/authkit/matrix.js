/* The matrix: find, open, walk by keyboard, edit cells, and collect what shall change.
   Nothing is sent before "Preview", and nothing is saved before that page says so. */
"use strict";
{
    const table = document.getElementById("ak-grid");
    const form = document.getElementById("ak-form");
    const status = document.getElementById("ak-status");
    const parsed = (id) => JSON.parse(document.getElementById(id).textContent);
    const texts = parsed("ak-texts");
    const say = (text, word) => text.replace("%s", () => word);

    /* ---- what cells say: lists of [effect, condition or null], in one order ---- */

    const order = (one, other) => (key(one) < key(other) ? -1 : 1);
    const key = ([effect, condition]) => `${effect} ${condition || ""}`;
    const same = (one, other) => JSON.stringify(one) === JSON.stringify(other);
    const has = (said, one) => said.some((each) => same(each, one));

    /* As grid_edits.choices does: a cell with several rules changes by one at a time. */
    function choices(said, conditions) {
        const ifs = conditions.map((name) => ["allow", name]);
        const single = [["allow", null], ...ifs, ["deny", null]];
        const join = (one) => [...said, one].sort(order);
        if (said.length > 1) {
            return [
                ...said.map((one) => said.filter((each) => each !== one)),
                ...single.filter((one) => !has(said, one)).map(join),
            ];
        }
        const isIf = said.length === 1 && has(ifs, said[0]);
        const both = isIf ? ifs.filter((one) => !has(said, one)).map(join) : [];
        return [[], ...single.map((one) => [one]), ...both];
    }

    function textOf(said, labels) {
        const words = said.map(([effect, condition]) => {
            if (condition === null) {
                return texts[effect];
            }
            return say(texts[`${effect}If`], labels[condition] || condition);
        });
        return words.length ? words.join(texts.and) : texts.nothing;
    }

    function symbolOf(said) {
        if (!said.length) {
            return "·";
        }
        if (said.some(([effect, condition]) => effect === "deny" && condition === null)) {
            return "✕";
        }
        return said.some(([, condition]) => condition === null) ? "✓" : "✓?";
    }

    /* ---- cells ---- */

    const headers = table.tHead.rows[0].cells;
    const pending = new Map();
    const before = new WeakMap();

    function spotOf(button) {
        const cell = button.closest("td");
        const row = cell.parentElement;
        const { role } = headers[cell.cellIndex].dataset;
        return {
            row,
            role,
            name: headers[cell.cellIndex].textContent.trim(),
            id: JSON.stringify([role, row.dataset.key, row.dataset.words]),
            labels: JSON.parse(row.dataset.conditions || "{}"),
        };
    }

    const ownOf = (button) => JSON.parse(button.dataset.own || "[]").sort(order);
    const wantedOf = (button) => pending.get(spotOf(button).id) || ownOf(button);

    function mark(button, wanted) {
        const { id, labels } = spotOf(button);
        if (!before.has(button)) {
            before.set(button, { nodes: [...button.childNodes], label: button.ariaLabel });
        }
        const was = before.get(button);
        const isChanged = !same(wanted, ownOf(button));
        button.closest("td").classList.toggle("ak-pending", isChanged);
        if (isChanged) {
            pending.set(id, wanted);
            button.replaceChildren(symbolOf(wanted));
            const will = say(texts.wanted, textOf(wanted, labels));
            button.setAttribute("aria-label", `${will} (${was.label})`);
        } else {
            pending.delete(id);
            button.replaceChildren(...was.nodes);
            button.setAttribute("aria-label", was.label);
        }
        tell();
    }

    function tell() {
        if (form) {
            form.hidden = pending.size === 0;
            form.querySelector(".ak-edits").textContent = say(texts.edits, pending.size);
        }
    }

    function describe(button) {
        const { row, name } = spotOf(button);
        const { key: endpoint, words } = row.dataset;
        status.textContent = `${name} · ${endpoint}:${words} — ${button.getAttribute("aria-label")}`;
    }

    /* ---- the popup of a cell ---- */

    let popup = null;

    function close(focus = true) {
        if (popup) {
            popup.button.removeAttribute("aria-expanded");
            popup.element.remove();
            const { button } = popup;
            popup = null;
            if (focus) {
                button.focus();
            }
        }
    }

    function open(button) {
        close(false);
        const { row, name, labels } = spotOf(button);
        const element = document.createElement("div");
        element.className = "ak-popup";
        element.setAttribute("role", "dialog");
        element.setAttribute("aria-label", `${name}, ${row.dataset.key}:${row.dataset.words}`);
        element.tabIndex = -1;
        const title = document.createElement("p");
        title.className = "ak-popup-title";
        title.textContent = `${name} · ${row.dataset.key}:${row.dataset.words}`;
        const text = document.createElement("p");
        text.textContent = button.getAttribute("aria-label");
        element.append(title, text);
        if (!("fixed" in row.dataset)) {
            element.append(menu(button, row, labels));
        }
        document.body.append(element);
        button.setAttribute("aria-expanded", "true");
        popup = { button, element };
        place(button, element);
        const items = [...element.querySelectorAll("[role^=menuitem]")];
        (items.find((item) => item.ariaChecked === "true") || items[0] || element).focus();
    }

    function menu(button, row, labels) {
        const list = document.createElement("div");
        list.setAttribute("role", "menu");
        list.setAttribute("aria-label", row.dataset.key);
        const now = wantedOf(button);
        const own = ownOf(button);
        let found = choices(now, Object.keys(labels).sort());
        if ("missing" in row.dataset) {
            found = found.filter((wanted) => wanted.every((one) => has(own, one)));
        }
        if (!found.some((wanted) => same(wanted, now))) {
            found.unshift(now);
        }
        if (!found.some((wanted) => same(wanted, own))) {
            found.push(own);
        }
        for (const wanted of found) {
            const item = document.createElement("button");
            item.type = "button";
            item.tabIndex = -1;
            item.setAttribute("role", "menuitemradio");
            item.setAttribute("aria-checked", String(same(wanted, now)));
            item.textContent = textOf(wanted, labels);
            if (same(wanted, own) && own.length > 1) {
                item.textContent = say(texts.asItIs, item.textContent);
            }
            item.addEventListener("click", () => {
                close();
                mark(button, wanted);
                describe(button);
            });
            list.append(item);
        }
        return list;
    }

    function place(button, element) {
        const at = button.getBoundingClientRect();
        const { offsetWidth: width, offsetHeight: height } = element;
        const { clientWidth, clientHeight } = document.documentElement;
        const below = at.bottom + height < clientHeight || at.top < height;
        element.style.left = `${Math.max(4, Math.min(at.left, clientWidth - width - 4))}px`;
        element.style.top = `${Math.max(4, below ? at.bottom + 2 : at.top - height - 2)}px`;
    }

    document.addEventListener("keydown", (event) => {
        if (!popup) {
            return;
        }
        const items = [...popup.element.querySelectorAll("[role^=menuitem]")];
        const at = items.indexOf(document.activeElement);
        const moves = { ArrowDown: at + 1, ArrowUp: at - 1, Home: 0, End: -1 };
        if (event.key === "Escape" || event.key === "Tab") {
            event.preventDefault();
            close();
        } else if (event.key in moves && items.length) {
            event.preventDefault();
            items.at(moves[event.key] % items.length).focus();
        }
    });
    document.addEventListener("pointerdown", (event) => {
        if (popup && !popup.element.contains(event.target)) {
            close(false);
        }
    });
    const follow = () => popup && place(popup.button, popup.element);
    addEventListener("resize", follow);
    document.addEventListener("scroll", follow, { capture: true, passive: true });

    /* ---- rows: open an endpoint, fold a group, find ---- */

    const loading = new Map();

    function below(row) {
        const rows = [];
        let next = row.nextElementSibling;
        while (next && next.classList.contains("ak-below")) {
            rows.push(next);
            next = next.nextElementSibling;
        }
        return rows;
    }

    async function load(row) {
        const link = row.querySelector(".ak-open");
        const response = await fetch(
            table.dataset.rowsUrl + encodeURIComponent(row.dataset.key),
            { credentials: "same-origin", redirect: "error" },
        );
        if (!response.ok) {
            throw new Error(String(response.status));
        }
        const template = document.createElement("template");
        template.innerHTML = await response.text();
        row.after(template.content);
        for (const each of below(row)) {
            restore(each);
        }
        link.setAttribute("aria-expanded", "true");
    }

    function restore(row) {
        for (const button of row.querySelectorAll("td button")) {
            const wanted = pending.get(spotOf(button).id);
            if (wanted) {
                mark(button, wanted);
            }
        }
    }

    async function toggle(row) {
        const link = row.querySelector(".ak-open");
        if (!loading.has(row)) {
            loading.set(row, load(row));
            try {
                await loading.get(row);
            } catch {
                loading.delete(row);
                status.textContent = texts.failed;
            }
            return;
        }
        await loading.get(row);
        const isOpen = link.getAttribute("aria-expanded") === "true";
        link.setAttribute("aria-expanded", String(!isOpen));
        show();
    }

    const search = document.getElementById("ak-q");

    /* What is visible follows from three things: search, folded groups, opened endpoints. */
    function show() {
        const word = search.value.trim().toLowerCase();
        let found = 0;
        for (const body of table.tBodies) {
            const group = body.querySelector(".ak-group button");
            if (!group) {
                continue;
            }
            const isFolded = group.getAttribute("aria-expanded") === "false";
            let here = 0;
            for (const row of body.querySelectorAll(".ak-endpoint")) {
                const isFound = row.dataset.key.toLowerCase().includes(word);
                const isOpen = row.querySelector(".ak-open").getAttribute("aria-expanded");
                here += isFound;
                row.hidden = !isFound || isFolded;
                for (const each of below(row)) {
                    each.hidden = row.hidden || isOpen !== "true";
                }
            }
            body.hidden = here === 0;
            found += here;
        }
        document.querySelector(".ak-count").textContent = say(texts.found, found);
        if (!current || !current.offsetParent) {
            rove(first());
        }
    }

    search.addEventListener("input", show);
    search.form.addEventListener("submit", (event) => {
        if (!search.defaultValue) { // else the server has left out what was not searched for
            event.preventDefault();
            show();
        }
    });

    /* ---- walking: one stop for Tab, arrows from there ---- */

    let current = null;
    let column = 0;
    const stops = (row) => [...row.querySelectorAll("button, a.ak-open")];
    const isShown = (row) => row.parentElement !== table.tHead && row.offsetParent;
    const rows = () => [...table.rows].filter(isShown);
    const columnOf = (stop) => stop.closest("td, th").cellIndex;
    const first = () => table.querySelector("tbody:not([hidden]) tr:not([hidden]) button");

    function rove(target) {
        if (current) {
            current.tabIndex = -1;
        }
        current = target;
        if (current) {
            current.tabIndex = 0;
        }
    }

    function step(key, event) {
        const row = current.closest("tr");
        const here = stops(row);
        const at = here.indexOf(current);
        const isFar = event.ctrlKey; // to the first or last row
        const list = rows();
        const line = list.indexOf(row);
        const isRight = getComputedStyle(table).direction === "rtl" ? "ArrowLeft" : "ArrowRight";
        const sideways = { ArrowLeft: -1, ArrowRight: 1 };
        if (key in sideways) {
            return here[at + (key === isRight ? 1 : -1)];
        }
        if ((key === "Home" || key === "End") && !isFar) {
            return key === "Home" ? here[0] : here.at(-1);
        }
        const lines = { ArrowUp: line - 1, ArrowDown: line + 1, PageUp: Math.max(0, line - 10) };
        lines.PageDown = Math.min(list.length - 1, line + 10);
        lines.Home = 0;
        lines.End = list.length - 1;
        const target = list[lines[key]];
        const there = target ? stops(target) : [];
        return there.find((stop) => columnOf(stop) === column) || there[0];
    }

    table.addEventListener("keydown", (event) => {
        const keys = "ArrowLeft ArrowRight ArrowUp ArrowDown Home End PageUp PageDown";
        if (popup || event.altKey || event.metaKey || !keys.split(" ").includes(event.key)) {
            return;
        }
        event.preventDefault();
        const target = current && step(event.key, event);
        if (target) {
            if (target.closest("tr") === current.closest("tr")) {
                column = columnOf(target); // up and down keep to it, past rows without it
            }
            target.focus();
            target.scrollIntoView({ block: "nearest", inline: "nearest" });
        }
    });
    table.addEventListener("focusin", (event) => {
        rove(event.target);
        if (event.target.closest("td")) {
            describe(event.target);
        } else {
            status.textContent = event.target.title || "\u00a0";
        }
    });
    table.addEventListener("pointerdown", (event) => {
        const stop = event.target.closest("td > button, a.ak-open");
        column = stop ? columnOf(stop) : column;
    });
    table.addEventListener("pointerover", (event) => {
        const button = event.target.closest("td > button");
        if (button) {
            describe(button);
        }
    });
    table.addEventListener("click", (event) => {
        const button = event.target.closest("td > button");
        const link = event.target.closest(".ak-open");
        const group = event.target.closest(".ak-group button");
        if (button) {
            open(button);
        } else if (link && !(event.ctrlKey || event.metaKey || event.shiftKey)) {
            event.preventDefault();
            toggle(link.closest("tr"));
        } else if (group) {
            const isOpen = group.getAttribute("aria-expanded") === "true";
            group.setAttribute("aria-expanded", String(!isOpen));
            show();
        }
    });
    table.addEventListener("keydown", (event) => {
        const link = event.target.closest(".ak-open");
        if (link && event.key === " ") {
            event.preventDefault();
            link.click();
        }
    });

    /* ---- sending ---- */

    let isLeaving = false;
    addEventListener("beforeunload", (event) => {
        if (pending.size && !isLeaving) {
            event.preventDefault();
        }
    });
    if (form) {
        form.addEventListener("submit", () => {
            isLeaving = true;
            const edits = [...pending].map(([id, wanted]) => [...JSON.parse(id), wanted]);
            form.elements.edit.value = JSON.stringify(edits);
        });
        form.querySelector(".ak-discard").addEventListener("click", () => {
            const ids = new Set(pending.keys());
            pending.clear();
            for (const button of table.querySelectorAll(".ak-pending button")) {
                mark(button, ownOf(button));
            }
            tell();
            if (ids.size) {
                current.focus();
            }
        });
    }

    /* ---- beginning ---- */

    table.setAttribute("role", "grid");
    for (const stop of table.querySelectorAll("a.ak-open, .ak-group button")) {
        stop.tabIndex = -1;
    }
    for (const link of table.querySelectorAll(".ak-open")) {
        link.setAttribute("role", "button");
        link.setAttribute("aria-expanded", "false");
    }
    document.querySelector(".ak-matrix").classList.add("ak-scripted");
    rove(first());
    for (const [role, endpoint, words, wanted] of parsed("ak-pending")) {
        pending.set(JSON.stringify([role, endpoint, words]), wanted);
    }
    const opened = new Set();
    for (const id of pending.keys()) {
        const [, endpoint, words] = JSON.parse(id);
        const row = table.querySelector(`.ak-endpoint[data-key="${CSS.escape(endpoint)}"]`);
        if (row && words === "*") {
            restore(row);
        } else if (row && !opened.has(endpoint)) {
            opened.add(endpoint);
            toggle(row);
        }
    }
    tell();
}
