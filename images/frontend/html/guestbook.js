// The guest book's page: asks the backend, shows the entries, and hands each answer's path to the picture.
// Every address is relative, so the page works behind any path.

import { draw, inWords } from "./picture.js";

const EVERY = 5000; // milliseconds between two looks while the page is seen
const WAIT = 15000; // a request that takes longer has failed
const REMEMBER = 20; // answers that the tally counts

const $ = (id) => document.getElementById(id);
const clock = new Intl.DateTimeFormat(undefined, { dateStyle: "medium", timeStyle: "short" });
const served = []; // paths of the last answers, newest last
const receipts = remembered(); // ids of what was signed in this tab, and acknowledged

// One request. Resolves to {answer, path, error}; error is a sentence, or null when all went well.
async function ask(address, options = {}) {
  const started = performance.now();
  let answer = {};
  let error = null;
  try {
    const response = await fetch(address, { ...options, cache: "no-store", signal: AbortSignal.timeout(WAIT) });
    answer = await response.json().catch(() => ({}));
    if (!response.ok || !answer.path) {
      error = answer.error ?? `The answer (HTTP ${response.status}) did not come from the guest book.`;
    }
  } catch {
    error = "The frontend does not answer: is its task running, and is its port published?";
  }
  return { answer, error, path: answer.path ?? null, took: Math.round(performance.now() - started) };
}

function show({ path, error, took }) {
  draw($("picture"), path, error);
  const words = inWords(path, error);
  if ($("way").textContent !== words) $("way").textContent = words;
  $("timing").textContent = error ? "" : `there and back in ${took} ms`;
  $("product").textContent = path?.database?.product ? `Database: ${path.database.product}.` : "";
  tell("fault", error);
  if (path && !error) count(path);
}

// A sentence in a place of its own; an empty one hides it. Said again only when it changes.
function tell(id, sentence) {
  const place = $(id);
  if (place.textContent !== (sentence ?? "")) place.textContent = sentence ?? "";
  place.hidden = !sentence;
}

function count(path) {
  served.push(path);
  if (served.length > REMEMBER) served.shift();
  $("counts").replaceChildren(
    ...["frontend", "backend", "database"].flatMap((tier) => {
      const times = new Map();
      for (const { [tier]: place } of served) {
        if (place) times.set(where(place), (times.get(where(place)) ?? 0) + 1);
      }
      const lines = [...times].sort().map(([name, n]) => element("dd", `${name}: ${n}`));
      return [element("dt", tier), ...lines];
    }),
  );
}

const where = (place) => (place.host ? `${place.container} on ${place.host}` : place.container);

function element(name, text, className = "") {
  const made = document.createElement(name);
  made.textContent = text;
  if (className) made.className = className;
  return made;
}

function entry({ name, message, written_at, path }) {
  const item = document.createElement("li");
  const head = document.createElement("div");
  const time = element("time", clock.format(new Date(written_at)), "quiet");
  time.dateTime = written_at;
  head.append(element("strong", name), time);
  const hosts = [path?.frontend, path?.backend, path?.database].map((place) => place?.host ?? place?.container ?? "?");
  item.append(head, element("p", message), element("p", `came by way of ${hosts.join(" → ")}`, "quiet way"));
  return item;
}

function list({ entries, count: total }) {
  $("entries").replaceChildren(...entries.filter((e) => e.written_at).map(entry));
  $("count").textContent = total > entries.length ? `the newest ${entries.length} of ${total}` : total || "";
  const oldest = total > entries.length ? entries.at(-1).id : ""; // what is older is not in this list
  const lost = receipts.filter((id) => id >= oldest && !entries.some((e) => e.id === id)).length;
  tell("lost", lost ? `Lost: ${lost} of the entries that you signed and the database acknowledged.` : null);
  $("empty").hidden = total > 0 || lost > 0;
}

// A frame of another site may not store anything: then the receipts last until the page is loaded again.
function remembered() {
  try {
    return JSON.parse(sessionStorage.getItem("receipts") ?? "[]");
  } catch {
    return [];
  }
}

function keep(id) {
  receipts.push(id);
  try {
    sessionStorage.setItem("receipts", JSON.stringify(receipts));
  } catch {
    // as above
  }
}


async function look() {
  const reply = await ask("api/entries");
  show(reply);
  if (!reply.error) list(reply.answer);
}

async function sign(event) {
  event.preventDefault();
  const button = event.submitter ?? $("sign").querySelector("button");
  const { name, message } = Object.fromEntries(new FormData($("sign")));
  button.disabled = true;
  $("receipt").textContent = "Signing …";
  const headers = { "Content-Type": "application/json" };
  const reply = await ask("api/entries", { method: "POST", headers, body: JSON.stringify({ name, message }) });
  button.disabled = false;
  if (reply.path || !reply.answer.error) show(reply);
  if (reply.error) {
    $("receipt").textContent = `Not acknowledged, so your message is still here. ${reply.path ? "" : reply.error}`;
    return;
  }
  keep(reply.answer.entry.id);
  $("message").value = "";
  $("receipt").textContent = `Written and acknowledged: entry ${reply.answer.entry.id}.`;
  await look();
}

async function keepLooking() {
  if (document.visibilityState === "visible") await look();
  setTimeout(keepLooking, EVERY);
}

$("sign").addEventListener("submit", sign);
keepLooking();
