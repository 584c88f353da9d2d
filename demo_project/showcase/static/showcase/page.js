// The page at "/". Tokens are kept in `held` and nowhere else: not in localStorage, not in
// a cookie of our own. Reloading the page forgets them.

import { showMay } from "./may.js";

const held = { session: null, token: null, jwt: null };
const NAMES = { session: "Cookie", token: "Token", jwt: "JWT" };
const WITH = { session: "a cookie", token: "a token", jwt: "a JWT" };
const MEANINGS = {
  session_ended: "Its sign-in has ended.",
  "": "The server does not know this name tag any more.",
  token_not_valid: "It has run out, or was never valid.",
};

const find = (selector, root = document) => root.querySelector(selector);
const all = (selector, root = document) => [...root.querySelectorAll(selector)];
const card = (kind) => find(`.way[data-kind="${kind}"]`);

// ---- Talking to the server

class Refused extends Error {
  constructor(answer) {
    super(answer.data?.detail ?? `${answer.status} ${answer.statusText}`);
    this.answer = answer;
  }
}

function cookie(name) {
  const pair = document.cookie.split("; ").find((text) => text.startsWith(`${name}=`));
  return pair?.slice(name.length + 1) ?? "";
}

// Signing out asks the browser to forget all cookies, so the CSRF cookie may have to come back.
async function csrfToken() {
  if (!cookie("csrftoken")) await fetch("/auth/session/", { cache: "no-store" });
  return cookie("csrftoken");
}

async function headersFor(as, method, body) {
  const headers = { Accept: "application/json" };
  if (body !== undefined) headers["Content-Type"] = "application/json";
  if (as === "token") headers.Authorization = `Bearer ${held.token.token}`;
  if (as === "jwt") headers.Authorization = `Bearer ${held.jwt.access}`;
  if (as === "session" && method !== "GET") headers["X-CSRFToken"] = await csrfToken();
  return headers;
}

// Sends exactly one credential. "omit" keeps the cookie at home while a token travels.
async function send(path, { method = "GET", body, as = "" } = {}) {
  const headers = await headersFor(as, method, body);
  const credentials = as === "session" ? "same-origin" : "omit";
  const response = await fetch(path, { method, headers, body, credentials, cache: "no-store" });
  const text = await response.text();
  let data = null;
  try {
    data = JSON.parse(text);
  } catch {
    // Not JSON: shown as it is.
  }
  return { headers, response, status: response.status, statusText: response.statusText, text, data };
}

async function ask(path, options = {}) {
  const body = options.body && JSON.stringify(options.body);
  const answer = await send(path, { ...options, body });
  if (!answer.response.ok) throw new Refused(answer);
  return answer.data;
}

// ---- Saying what happened

function say(sentence) {
  find("[data-toast]").textContent = sentence;
  clearTimeout(say.timer);
  say.timer = setTimeout(() => (find("[data-toast]").textContent = ""), 6000);
}

function complain(kind, sentence) {
  const place = find("[data-problem]", card(kind));
  place.textContent = sentence;
  place.hidden = !sentence;
}

// A second press while the first is under way does nothing; the button keeps the focus.
async function during(button, task, onError = say) {
  if (button.getAttribute("aria-busy") === "true") return;
  button.setAttribute("aria-busy", "true");
  try {
    await task();
  } catch (error) {
    const isOurs = error instanceof Refused;
    onError(isOurs ? error.message : "The server does not answer. Is it still running?");
    if (!isOurs && !(error instanceof TypeError)) throw error;
  } finally {
    button.removeAttribute("aria-busy");
  }
}

// ---- 1, 2: choosing a person, signing in, signing out

function choose(link) {
  for (const other of all("[data-person]")) other.removeAttribute("aria-current");
  link.setAttribute("aria-current", "true");
  find("#username").value = link.dataset.person;
  find("#password").value = find("#password").dataset.demo;
  say(`${link.dataset.person} it is. Now press one of the three buttons below.`);
}

async function enter(kind) {
  complain(kind, "");
  const form = find("#who");
  if (!form.reportValidity()) return;
  const body = { username: form.username.value, password: form.password.value };
  const as = kind === "session" ? "session" : "";
  held[kind] = await ask(`/auth/${kind}/`, { method: "POST", body, as });
  await showCard(kind);
  say(`${held[kind].user.username} is signed in with ${WITH[kind]}.`);
  await showEverything(kind);
}

async function leave(kind) {
  complain(kind, "");
  await ask(`/auth/${kind}/`, { method: "DELETE", as: kind });
  say(`Logged out. The ${NAMES[kind]} opens nothing any more.`);
  await showEverything();
}

async function refresh() {
  complain("jwt", "");
  const pair = await ask("/auth/jwt/refresh/", { method: "POST", body: { refresh: held.jwt.refresh } });
  Object.assign(held.jwt, pair);
  await showCard("jwt");
  say(`A new pair: generation ${generationOf(pair.refresh)}.`);
  await showEverything();
}

// ---- What travels

function decode(part) {
  const bytes = Uint8Array.from(atob(part.replaceAll("-", "+").replaceAll("_", "/")), (c) => c.charCodeAt(0));
  return { bytes, text: new TextDecoder().decode(bytes) };
}

const claimsOf = (token) => JSON.parse(decode(token.split(".")[1]).text);
const generationOf = (token) => claimsOf(token).gen;
const pretty = (json) => JSON.stringify(JSON.parse(json), null, 2);
const clockTime = (moment) => new Date(moment).toLocaleTimeString([], { hour: "2-digit", minute: "2-digit" });

function colour(place, parts) {
  place.replaceChildren(
    ...parts.map(([className, text]) => {
      const span = document.createElement("span");
      span.className = className;
      span.textContent = text;
      return span;
    }),
  );
}

// prefix, id (16), secret (40), checksum (7)
function opaqueParts(token) {
  const start = token.length - 63;
  return [
    ["part-1", token.slice(0, start)],
    ["part-2", token.slice(start, start + 16)],
    ["part-3", token.slice(start + 16, -7)],
    ["part-4", token.slice(-7)],
  ];
}

async function showCard(kind) {
  if (kind === "session") return showSession();
  const place = card(kind);
  for (const element of all("[data-facts], [data-leave], [data-refresh]", place)) element.hidden = false;
  find("[data-user]", place).textContent = held[kind].user.username;
  if (kind === "token") showToken(place);
  else showJwt(place);
}

// Only the server sees the cookie, so the server draws this part of the page.
async function showSession() {
  const page = await (await fetch("/", { cache: "no-store" })).text();
  const facts = new DOMParser().parseFromString(page, "text/html").querySelector("#session-facts");
  if (facts.dataset.user) find("#session-facts").replaceWith(document.adoptNode(facts));
  find('[data-leave="session"]').hidden = !held.session;
}

function showToken(place) {
  colour(find("[data-parts]", place), opaqueParts(held.token.token));
  const ends = new Date(held.token.expires_at);
  const time = find("[data-expires]", place);
  time.dateTime = held.token.expires_at;
  time.textContent = `on ${ends.toLocaleDateString([], { day: "numeric", month: "long", year: "numeric" })}`;
}

function showJwt(place) {
  const [header, payload, signature] = held.jwt.access.split(".");
  colour(find("[data-parts]", place), [
    ["part-1", header],
    ["", "."],
    ["part-3", payload],
    ["", "."],
    ["part-4", signature],
  ]);
  const seal = decode(signature).bytes;
  find("[data-header]", place).textContent = pretty(decode(header).text);
  find("[data-payload]", place).textContent = pretty(decode(payload).text);
  const hex = [...seal].map((byte) => byte.toString(16).padStart(2, "0")).join(" ");
  find("[data-signature]", place).textContent = `${seal.length} bytes\n${hex}`;
  find("[data-generation]", place).textContent = generationOf(held.jwt.refresh);
  tick();
}

function tick() {
  if (!held.jwt) return;
  const { iat, exp } = claimsOf(held.jwt.access);
  const left = Math.max(0, Math.ceil(exp - Date.now() / 1000));
  const clock = `${Math.floor(left / 60)}:${String(left % 60).padStart(2, "0")}`;
  find("[data-countdown]").textContent = left ? clock : "over. Press Refresh";
  find("[data-meter]").value = left / (exp - iat);
  if (!left && held.jwt.isAlive) {
    held.jwt.isAlive = false;
    showEverything();
  }
}

// ---- 3: calling an endpoint

function fillCall() {
  const { method, path, body } = find("#endpoint").selectedOptions[0].dataset;
  find("#method").value = method;
  find("#path").value = path;
  find("#body").value = body;
  showBodyField();
}

const takesBody = (method) => ["POST", "PATCH", "PUT"].includes(method);
const showBodyField = () => (find("[data-body-field]").hidden = !takesBody(find("#method").value));
const shorten = (text) => (text.length > 48 ? `${text.slice(0, 30)}…${text.slice(-10)}` : text);

function headerLines(headers) {
  return [...headers].flatMap(([name, value]) => {
    const bold = document.createElement("b");
    bold.textContent = `${name}: `;
    return [bold, `${name.toLowerCase() === "authorization" ? shorten(value) : value}\n`];
  });
}

function addedByBrowser() {
  const note = document.createElement("span");
  note.className = "added";
  note.textContent = "Cookie: sessionid=•••• (added by the browser)\n";
  return note;
}

async function call(form) {
  const as = form.as.value;
  const method = find("#method").value;
  const path = find("#path").value;
  if (new URL(path, location.href).origin !== location.origin) return say("A path on this site, please.");
  const body = takesBody(method) ? find("#body").value : undefined;
  const answer = await send(path, { method, body, as });
  find("[data-exchange]").hidden = false;
  find("[data-sent]").replaceChildren(
    `${method} ${path}\n`,
    ...headerLines(Object.entries(answer.headers)),
    ...(as === "session" ? [addedByBrowser()] : []),
    ...(body ? [`\n${body}`] : []),
  );
  const status = find("[data-status]");
  status.textContent = `${answer.status} ${answer.statusText}`;
  status.className = `badge ${answer.response.ok ? "good" : "bad"}`;
  const shown = answer.data ? JSON.stringify(answer.data, null, 2) : answer.text.slice(0, 4000);
  find("[data-received]").replaceChildren(...headerLines(answer.response.headers), `\n${shown}`);
  say(`The answer: ${answer.status} ${answer.statusText}.`);
}

// ---- 4: devices

const BROWSERS = ["Edg", "OPR", "Firefox", "Chrome", "Safari", "curl", "python"];
const SYSTEMS = ["Android", "iPhone", "iPad", "Windows", "Mac OS", "Linux"];

function clientOf(userAgent) {
  const browser = BROWSERS.find((name) => userAgent.includes(name))?.replace("Edg", "Edge") ?? "A program";
  const system = SYSTEMS.find((name) => userAgent.includes(name))?.replace("Mac OS", "macOS");
  return system ? `${browser} on ${system}` : browser;
}

function deviceRow(device, as) {
  const row = find("#device").content.cloneNode(true);
  const chip = find("[data-kind]", row);
  chip.textContent = NAMES[device.kind];
  chip.className = `chip ${device.kind}`;
  find("[data-client]", row).textContent = clientOf(device.user_agent);
  find("[data-current]", row).hidden = !device.current;
  find("[data-about]", row).textContent =
    `Since ${clockTime(device.created_at)}, last seen ${clockTime(device.last_seen_at)}, from ${device.ip}`;
  const button = find("[data-end-one]", row);
  button.setAttribute("aria-label", `Sign out the ${NAMES[device.kind]} of ${clockTime(device.created_at)}`);
  button.addEventListener("click", () => during(button, () => end(`${device.id}/`, as, "That device is")));
  return row;
}

async function showDevices() {
  const as = find("#device-form").as.value;
  const list = find("[data-devices]");
  const answer = as ? await send("/auth/sessions/", { as }) : null;
  const devices = answer?.response.ok ? (answer.data.results ?? answer.data) : [];
  list.replaceChildren(...devices.map((device) => deviceRow(device, as)));
  find("[data-device-actions]").hidden = !devices.length;
  const nothing = find("[data-no-devices]");
  nothing.hidden = devices.length > 0;
  nothing.textContent = as ? `The ${NAMES[as]} has died and may not ask any more.` : "Sign in first.";
}

async function end(which, as, who) {
  await ask(`/auth/sessions/${which}`, { method: "DELETE", as });
  say(`${who} signed out. See below which credentials died.`);
  await showEverything();
  find("#devices-title").scrollIntoView({ block: "nearest" });
}

// ---- 5: which credentials died?

async function test(kind) {
  const answer = await send("/api/profile/", { as: kind });
  const isAlive = answer.response.ok;
  Object.assign(held[kind], { isAlive, status: answer.status, code: answer.data?.code ?? "" });
  card(kind).classList.toggle("ended", !isAlive);
  const over = find("[data-over]", card(kind));
  over.hidden = isAlive;
  over.textContent = held[kind].code === "token_not_valid" ? "run out" : "ended";
}

function verdictRow(kind) {
  const { user, isAlive, status, code } = held[kind];
  const row = find("#credential").content.cloneNode(true);
  const chip = find("[data-kind]", row);
  chip.textContent = NAMES[kind];
  chip.className = `chip ${kind}`;
  find("[data-who]", row).textContent = user.username;
  find("[data-why]", row).textContent = isAlive ? "Opens the door." : (MEANINGS[code] ?? "Opens nothing.");
  const badge = find("[data-badge]", row);
  badge.textContent = isAlive ? `alive ${status}` : `dead ${status} ${code}`.trim();
  badge.classList.add(isAlive ? "good" : "bad");
  return row;
}

async function testAll() {
  const kinds = Object.keys(held).filter((kind) => held[kind]);
  await Promise.all(kinds.map(test));
  find("[data-verdicts]").replaceChildren(...kinds.map(verdictRow));
  find("[data-no-credentials]").hidden = kinds.length > 0;
  find("[data-verdict-actions]").hidden = !kinds.length;
}

function offerCredentials(preferred) {
  for (const radio of all('input[name="as"]')) {
    if (!radio.value) continue;
    radio.disabled = !held[radio.value];
    if (radio.value === preferred) radio.checked = true;
  }
}

async function showEverything(preferred) {
  await testAll();
  offerCredentials(preferred);
  for (const kind of Object.keys(held)) {
    for (const button of all(`[data-leave="${kind}"]`)) button.hidden = !held[kind]?.isAlive;
  }
  await showDevices();
  await showMayOf(find("#call-form").as.value);
}

async function showMayOf(as) {
  const answer = await send("/may/", { as });
  if (answer.response.ok) showMay(answer.data);
}

// ---- Wiring

for (const link of all("[data-person]")) {
  link.addEventListener("click", (event) => {
    event.preventDefault();
    choose(link);
  });
}
find("#who").addEventListener("submit", (event) => {
  event.preventDefault();
  during(event.submitter ?? event.target, () => enter("session"), (text) => complain("session", text));
});
find("#leave").addEventListener("submit", (event) => {
  event.preventDefault();
  during(event.submitter, () => leave("session"), (text) => complain("session", text));
});
for (const button of all("[data-enter]")) {
  const kind = button.dataset.enter;
  button.addEventListener("click", () => during(button, () => enter(kind), (text) => complain(kind, text)));
}
for (const button of all('button[type="button"][data-leave]')) {
  const kind = button.dataset.leave;
  button.addEventListener("click", () => during(button, () => leave(kind), (text) => complain(kind, text)));
}
find("[data-refresh]").addEventListener("click", (event) =>
  during(event.target, refresh, (text) => {
    complain("jwt", text);
    showEverything();
  }),
);
find("#endpoint").addEventListener("change", fillCall);
find("#method").addEventListener("change", showBodyField);
find("#call-form").addEventListener("submit", (event) => {
  event.preventDefault();
  during(event.submitter ?? event.target, () => call(event.target));
});
for (const radio of all('#call-form input[name="as"]')) {
  radio.addEventListener("change", (event) => during(event.target, () => showMayOf(event.target.value)));
}
find("#device-form").addEventListener("change", (event) => during(event.target, showDevices));
find('[data-end="others"]').addEventListener("click", (event) =>
  during(event.target, () => end("?others=true", find("#device-form").as.value, "All other devices are")),
);
find('[data-end="all"]').addEventListener("click", (event) =>
  during(event.target, () => end("", find("#device-form").as.value, "All devices are")),
);
find("[data-test]").addEventListener("click", (event) => during(event.target, () => showEverything()));

for (const element of all("[data-scripted]")) element.hidden = false;
setInterval(tick, 1000);
fillCall();

// A cookie survives a reload: is there one?
const { user, session } = (await ask("/auth/session/", { as: "session" }).catch(() => null)) ?? {};
if (user) {
  held.session = { user, session };
  await showEverything("session");
} else {
  await showMayOf("");
}
