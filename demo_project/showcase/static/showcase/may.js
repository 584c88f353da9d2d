// The table "What may I do, and why not the rest?", filled from what /may/ answers.

const ANSWERS = new Map([[true, ["yes", "good"]], [null, ["for some", ""]], [false, ["no", "bad"]]]);

function row({ access, methods, allowed, reason, rule, help }) {
  const made = document.querySelector("#may-row").content.cloneNode(true);
  const put = (name, text) => (made.querySelector(`[data-${name}]`).textContent = text);
  const [word, tone] = ANSWERS.get(allowed);
  put("access", access);
  put("methods", methods.join(", "));
  put("answer", word);
  if (tone) made.querySelector("[data-answer]").classList.add(tone);
  put("why", allowed === false ? `${reason}. ${help.join(" ")}` : rule || reason);
  return made;
}

export function showMay(rows) {
  document.querySelector("[data-may]").replaceChildren(...rows.map(row));
}
