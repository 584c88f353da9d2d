// Shows each arrow of the dance. What must survive the way to Demo ID and back is kept in
// sessionStorage: words for the reader, no secret. The secrets (verifier, nonce) travel in a
// sealed cookie that no script can read.

const form = document.querySelector("#dance");
const list = document.querySelector("#arrows");
const problem = document.querySelector("#dance-problem");
const API = "/auth/social/demo-id/";
const LOOK_AGAIN = 100; // milliseconds
const MEANING = {
  response_type: "a code, please",
  client_id: "who asks: the magazine",
  redirect_uri: "where to send you back to",
  scope: "what it would like to know",
  state: "comes back unchanged; proves that this browser began",
  nonce: "comes back inside the signed ID token",
  code_challenge: "fingerprint of a secret that the magazine keeps (PKCE)",
  code_challenge_method: "how that fingerprint was made",
  code: "good for one exchange, for a minute",
  iss: "who answers",
};
const ASKED = [
  [/openid-configuration$/, "Reads what Demo ID publishes of itself, and compares its name."],
  [/token\/?$/, "Exchanges the code. It shows its secret and the verifier: only the magazine, and only this sign-in, can. Back come an access token and a signed ID token."],
  [/jwks\.json$/, "Fetches Demo ID's public keys, and checks the seal of the ID token: from whom, for whom, how old, and the nonce."],
  [/userinfo\/?$/, "Asks for your profile with the access token."],
];

let drawn = JSON.parse(sessionStorage.getItem("dance") ?? "[]");

function draw(arrow) {
  const item = document.createElement("li");
  const title = document.createElement("strong");
  title.textContent = `${arrow.from} → ${arrow.to}`;
  const text = document.createElement("p");
  text.textContent = arrow.text;
  item.append(title, text);
  if (arrow.wire) {
    const wire = document.createElement("pre");
    wire.className = "wire";
    wire.tabIndex = 0;
    wire.textContent = arrow.wire;
    item.append(wire);
  }
  if (arrow.parts) {
    const legend = document.createElement("dl");
    legend.className = "legend";
    for (const [name, value] of arrow.parts) {
      const row = document.createElement("div");
      const term = document.createElement("dt");
      const what = document.createElement("dd");
      const code = document.createElement("code");
      term.textContent = name;
      code.textContent = value;
      what.append(MEANING[name] ?? "", " ", code);
      row.append(term, what);
      legend.append(row);
    }
    item.append(legend);
  }
  list.append(item);
}

function add(arrow) {
  drawn.push(arrow);
  sessionStorage.setItem("dance", JSON.stringify(drawn));
  draw(arrow);
}

function addAsked({ method, path, status, milliseconds }) {
  const text = ASKED.find(([pattern]) => pattern.test(path))?.[1] ?? "Asks.";
  add({ from: "Magazine", to: "Demo ID", text, wire: `${method} ${path}\n${status ?? "no answer"}, ${milliseconds} ms` });
}

// Posts, and shows what the magazine asks Demo ID meanwhile: as soon as it has, and the rest
// with the answer.
async function post(path, body) {
  const ride = crypto.randomUUID();
  let shown = 0;
  const show = (arrows) => {
    arrows.slice(shown).forEach(addAsked);
    shown = Math.max(shown, arrows.length);
  };
  const answer = fetch(API + path, {
    method: "POST",
    headers: {
      "Content-Type": "application/json",
      "X-CSRFToken": form.elements.csrfmiddlewaretoken.value,
      "X-Demo-Ride": ride,
    },
    body: JSON.stringify(body),
  });
  const over = answer.then(() => true, () => true);
  while (!(await Promise.race([over, new Promise((wake) => setTimeout(wake, LOOK_AGAIN))]))) {
    const seen = await fetch(`/dance/arrows/${ride}/`);
    if (seen.ok) show((await seen.json()).arrows);
  }
  const response = await answer;
  show(JSON.parse(response.headers.get("X-Demo-Arrows") ?? "[]"));
  return response;
}

function tell(text) {
  problem.textContent = text;
  problem.hidden = false;
}

async function begin() {
  drawn = [];
  list.replaceChildren();
  problem.hidden = true;
  add({ from: "Browser", to: "Magazine", text: "You press the button.", wire: `POST ${API}begin/` });
  const response = await post("begin/", { redirect_uri: `${location.origin}/dance/` });
  const answer = await response.json();
  if (!response.ok) return tell(answer.detail);
  const url = new URL(answer.authorization_url);
  add({
    from: "Magazine",
    to: "Browser",
    text: "Go to Demo ID, and take this along. (The magazine also gives your browser a sealed cookie, to know it again.)",
    wire: url.origin + url.pathname,
    parts: [...url.searchParams],
  });
  const next = document.createElement("a");
  next.href = url.href;
  next.textContent = "Go on to Demo ID";
  next.className = "main";
  next.id = "go-on";
  const item = document.createElement("li");
  item.append(next);
  list.append(item);
  next.focus();
}

async function complete(query) {
  history.replaceState(null, "", "/dance/"); // a code does not belong into the history
  add({
    from: "Browser",
    to: "Demo ID",
    text: "You sign in there and agree. What you type there, the magazine never sees.",
  });
  add({
    from: "Demo ID",
    to: "Browser",
    text: query.has("error") ? "Back to the magazine, with a no." : "Back to the magazine, with a code.",
    parts: [...query],
  });
  add({ from: "Browser", to: "Magazine", text: "Hands it over.", wire: `POST ${API}complete/` });
  const response = await post("complete/", { ...Object.fromEntries(query), deliver: "session" });
  const answer = await response.json();
  if (!response.ok || answer.pause) return tell(answer.detail);
  const profile = [["name", `${answer.user.first_name} ${answer.user.last_name}`], ["email", answer.user.email]];
  add({
    from: "Magazine",
    to: "Browser",
    text: answer.is_new
      ? `Welcome, ${answer.user.username}! You have an account now. You are signed in with a cookie of the magazine's own.`
      : `Welcome back, ${answer.user.username}! You are signed in with a cookie of the magazine's own.`,
    parts: profile,
  });
}

form.hidden = false;
form.addEventListener("submit", (event) => {
  event.preventDefault();
  begin().catch((error) => tell(String(error)));
});
const query = new URLSearchParams(location.search);
if (query.has("state")) {
  drawn.forEach(draw);
  complete(query).catch((error) => tell(String(error)));
} else {
  drawn = [];
}
