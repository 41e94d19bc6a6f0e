// Shows what Python has drawn, and moves what has changed: an element keeps its identity by its data-key.

const GONE_AFTER = 450; // milliseconds that what goes takes to fade
const STILL_HERE = 20000; // how often Python hears that somebody looks
const PER_UNIT = 3.2; // milliseconds that a packet takes for a unit of its way

const calm = () => matchMedia("(prefers-reduced-motion: reduce)").matches;

export default {
  render({ model, el }) {
    el.classList.add("overlaykit-live");
    const place = make("div", { class: "drawing" });
    const follows = make("span", { class: "follows" });
    const news = make("span", { class: "news", role: "status" });
    const words = make("p", { class: "words" });
    const twin = make("details", {}, make("summary", {}, "The picture in words"), words);
    el.append(place, make("div", { class: "foot" }, follows, news), twin);

    const drawn = () => show(place, model.get("drawing"));
    const said = () => {
      words.textContent = model.get("words");
    };
    const told = () => {
      news.textContent = model.get("news");
    };
    const state = () => {
      follows.textContent = model.get("follows") ? "follows the hosts" : "rests";
      follows.classList.toggle("rests", !model.get("follows"));
    };
    const sent = () => travel(place.querySelector("svg"));
    const changes = { drawing: drawn, words: said, news: told, follows: state, sent };
    for (const [name, change] of Object.entries(changes)) {
      model.on(`change:${name}`, change);
      if (name !== "sent") change();
    }
    const seen = () => {
      if (document.visibilityState === "visible") model.send({ seen: true });
    };
    seen();
    const beat = setInterval(seen, STILL_HERE);
    document.addEventListener("visibilitychange", seen);
    return () => {
      clearInterval(beat);
      document.removeEventListener("visibilitychange", seen);
      for (const [name, change] of Object.entries(changes)) model.off(`change:${name}`, change);
    };
  },
};

function make(name, attributes, ...inside) {
  const made = document.createElement(name);
  for (const [key, value] of Object.entries(attributes)) made.setAttribute(key, value);
  made.append(...inside);
  return made;
}

function show(place, text) {
  if (!text) return;
  const wanted = document.importNode(new DOMParser().parseFromString(text, "image/svg+xml").documentElement, true);
  const svg = place.querySelector("svg");
  if (svg) become(svg, wanted);
  else place.replaceChildren(wanted);
}

// Make an element what it should be, and keep every part of it that is still the same thing.
function become(old, wanted) {
  for (const { name } of [...old.attributes]) if (!wanted.hasAttribute(name) && name !== "class") old.removeAttribute(name);
  for (const { name, value } of wanted.attributes) if (old.getAttribute(name) !== value) old.setAttribute(name, value);
  if (![...wanted.children].some(keyed)) {
    if (old.innerHTML !== wanted.innerHTML) old.replaceChildren(...wanted.childNodes);
    return;
  }
  const known = new Map([...old.children].filter((e) => keyed(e) && !e.classList.contains("goes")).map((e) => [e.dataset.key, e]));
  const kept = [...wanted.children].map((child) => {
    const same = known.get(child.dataset.key);
    if (!same || same.tagName !== child.tagName) return come(child);
    known.delete(child.dataset.key);
    become(same, child);
    return same;
  });
  for (const child of [...old.children]) if (!keyed(child)) child.remove();
  known.forEach(go);
  kept.forEach((child, at) => {
    const there = [...old.children].filter((e) => !e.classList.contains("goes"))[at];
    if (there !== child) old.insertBefore(child, there ?? null);
  });
}

const keyed = (element) => Boolean(element.dataset?.key);

function come(child) {
  if (keyed(child) && !calm()) {
    child.classList.add("comes");
    requestAnimationFrame(() => requestAnimationFrame(() => child.classList.remove("comes")));
  }
  return child;
}

function go(child) {
  if (calm()) {
    child.remove();
    return;
  }
  child.classList.add("goes");
  setTimeout(() => child.remove(), GONE_AFTER);
}

// A packet runs along the way and draws it, stop by stop; without motion the way is simply there.
function travel(svg) {
  const way = svg?.querySelector('[data-key="way"]');
  if (!way || calm()) return;
  const length = way.getTotalLength();
  const stops = [...svg.querySelectorAll('[data-key^="stop"], [data-key="way end"]')];
  const packet = document.createElementNS(svg.namespaceURI, "circle");
  packet.setAttribute("class", "packet");
  packet.setAttribute("r", 7);
  way.parentNode.append(packet);
  way.style.strokeDasharray = length;
  for (const stop of stops) stop.style.opacity = 0;
  const began = performance.now();
  let gone = 0;
  const step = (now) => {
    const far = Math.min(length, (now - began) / PER_UNIT);
    for (; gone < far; gone += 2) {
      const { x, y } = way.getPointAtLength(gone);
      if (stops.length && close(stops[0], x, y)) stops.shift().style.opacity = "";
    }
    const { x, y } = way.getPointAtLength(far);
    packet.setAttribute("cx", x);
    packet.setAttribute("cy", y);
    way.style.strokeDashoffset = length - far;
    if (far < length && way.isConnected) {
      requestAnimationFrame(step);
      return;
    }
    packet.remove();
    way.style.strokeDasharray = way.style.strokeDashoffset = "";
    for (const stop of stops) stop.style.opacity = "";
  };
  requestAnimationFrame(step);
}

function close(stop, x, y) {
  const { x: left, y: top, width, height } = stop.getBBox();
  return Math.hypot(left + width / 2 - x, top + height / 2 - y) < 5;
}
