// The picture of a path: browser, frontend, backend, database, each with its host and container.
//
//   draw(document.getElementById("picture"), answer.path, answer.error)
//
// Side by side where there is room, one below the other where there is not. Hosts have a colour each, and
// their name beside it: colour alone tells nothing.

const TIERS = ["frontend", "backend", "database"];
const ICONS = {
  browser: "M2 5h20v14H2zM2 9h20M5 7h.01M8 7h.01",
  frontend: "M3 5h18v5H3zM3 14h18v5H3zM7 7.5h.01M7 16.5h.01",
  backend: "M8 7l-5 5 5 5M16 7l5 5-5 5",
  database: "M4 6c0-4 16-4 16 0v12c0 4-16 4-16 0zM4 6c0 4 16 4 16 0M4 12c0 4 16 4 16 0",
};
const COLOURS = 8; // style.css has as many, .host-0 and on
const WIDE = 800; // narrower: one below the other
const calm = matchMedia("(prefers-reduced-motion: reduce)");

const known = new Map(); // host -> its colour, in order of first sight
let last = null; // what is drawn, to draw it again when the width changes

export function draw(place, path, error) {
  last = { place, path, error };
  const stops = stopsOf(path);
  const layout = layoutFor(place.clientWidth, stops.length);
  const picture = svg("svg", { viewBox: `0 0 ${layout.width} ${layout.height}`, role: "img" });
  picture.style.height = `${layout.height}px`;
  picture.append(svg("title", {}, inWords(path, error)), overlay(layout));
  for (let i = 1; i < stops.length; i += 1) picture.append(link(stops[i - 1], stops[i], layout, i, error));
  const dot = svg("circle", { class: "pulse", r: 5 });
  picture.append(dot, ...stops.map((stop, i) => card(stop, layout.at(i), layout)));
  place.replaceChildren(picture);
  if (!calm.matches) travel(dot, layout, stops.filter((stop) => stop.reached).length - 1);
}

export function inWords(path, error) {
  const parts = stopsOf(path).filter((stop) => stop.reached).map((stop) => {
    if (stop.tier === "browser") return "Your browser";
    return `${stop.tier}${stop.host ? ` on ${stop.host}` : ""}, container ${stop.container}`;
  });
  return `${parts.join("; then ")}${error ? "; and no further." : "."}`;
}

function stopsOf(path) {
  const browser = { tier: "browser", reached: true, host: null, container: "you" };
  return [browser, ...TIERS.map((tier) => ({ tier, reached: Boolean(path?.[tier]), ...path?.[tier] }))];
}

// Where things are: the browser outside, the three tiers in the frame of the overlay network.
function layoutFor(room, n) {
  const width = Math.max(280, room);
  if (width >= WIDE) {
    const gap = 96;
    const box = { w: Math.floor((width - 18 - gap * (n - 1)) / n), h: 118 };
    const at = (i) => ({ x: 1 + i * (box.w + gap), y: 34 });
    return { wide: true, width, height: 170, box, at, frame: { x: at(1).x - 16, y: 1, w: width - at(1).x + 15, h: 167 } };
  }
  const gap = 40;
  const box = { w: width - 28, h: 82 };
  const at = (i) => ({ x: 14, y: 2 + i * (box.h + gap) + (i ? 24 : 0) });
  const frame = { x: 1, y: at(1).y - 32, w: width - 2, h: 3 * box.h + 2 * gap + 46 };
  return { wide: false, width, height: frame.y + frame.h + 2, box, at, frame };
}

function overlay({ frame: { x, y, w, h } }) {
  const group = svg("g", { class: "overlay" });
  group.append(svg("rect", { x, y, width: w, height: h, rx: 18 }), text("overlay network", x + w - 16, y + 21, "label"));
  group.lastChild.setAttribute("text-anchor", "end");
  return group;
}

function card(stop, { x, y }, { box, wide }) {
  const group = svg("g", { class: `stop${stop.reached ? "" : " unreached"}`, transform: `translate(${x} ${y})` });
  group.append(svg("rect", { class: "box", width: box.w, height: box.h, rx: 12 }));
  group.append(svg("path", { class: "icon", d: ICONS[stop.tier], transform: "translate(14 13)" }));
  group.append(text(stop.tier, 46, 30, "tier"));
  const room = wide ? box.w - 28 : (box.w - 40) / 2;
  const below = wide ? [14, 102] : [26 + room, 63];
  if (stop.tier === "browser") {
    group.append(text(stop.container, 14, wide ? 67 : 63, "container"));
  } else if (stop.reached) {
    group.append(badge(stop.host, 14, wide ? 63 : 59, room));
    group.append(text(shorten(stop.container, room, 7.3), ...below, "container", stop.container));
  } else {
    group.append(text("not reached", 14, wide ? 67 : 63, "container"));
  }
  return group;
}

function badge(host, x, y, room) {
  const group = svg("g", { class: host ? `host host-${colour(host)}` : "host", transform: `translate(${x} ${y})` });
  group.append(svg("title", {}, host ?? "the hostname of this container does not name its host"));
  group.append(svg("rect", { y: -14, width: room, height: 27, rx: 8 }), svg("circle", { cx: 14, cy: -0.5, r: 4.5 }));
  group.append(text(shorten(host ?? "host not told", room - 32, 8.6), 25, 4, "host-name"));
  return group;
}

function link(from, to, layout, i, error) {
  const a = layout.at(i - 1);
  const b = layout.at(i);
  const { w, h } = layout.box;
  const [x1, y1, x2, y2] = layout.wide ? [a.x + w, a.y + h / 2, b.x, b.y + h / 2] : [40, a.y + h, 40, b.y];
  const broken = Boolean(error) && from.reached && !to.reached;
  const group = svg("g", { class: `link${broken ? " broken" : to.reached ? "" : " unreached"}` });
  group.append(svg("line", { x1, y1, x2, y2 }));
  const [mx, my] = [(x1 + x2) / 2, (y1 + y2) / 2];
  if (broken) group.append(svg("path", { class: "cross", d: `M${mx - 6} ${my - 6}l12 12m0 -12l-12 12` }));
  else group.append(svg("path", { class: "tip", d: layout.wide ? `M${x2 - 8} ${y2 - 5}l7 5l-7 5` : `M${x2 - 5} ${y2 - 8}l5 7l5 -7` }));
  const label = text(labelOf(from, to, broken), ...(layout.wide ? [from.tier === "browser" ? mx - 8 : mx, my - 12] : [mx + 16, from.tier === "browser" ? y1 + 20 : my + 4]), "label");
  label.setAttribute("text-anchor", layout.wide ? "middle" : "start");
  group.append(label);
  return group;
}

function labelOf(from, to, broken) {
  if (broken) return "no answer";
  if (from.tier === "browser") return "any host";
  if (!to.reached || !from.host || !to.host) return "by name";
  return from.host === to.host ? "same host" : "host to host";
}

function travel(dot, layout, hops) {
  const { w, h } = layout.box;
  const middle = ({ x, y }) => (layout.wide ? `translate(${x + w / 2}px, ${y + h / 2}px)` : `translate(40px, ${y + h / 2}px)`);
  if (hops < 1) return;
  const there = middle(layout.at(hops));
  const here = middle(layout.at(0));
  dot.animate([{ transform: here, opacity: 1 }, { transform: there, opacity: 1 }, { transform: here, opacity: 0 }], {
    duration: 500 * hops + 500,
    easing: "ease-in-out",
  });
}

function colour(host) {
  if (!known.has(host)) known.set(host, known.size % COLOURS);
  return known.get(host);
}

function shorten(name, room, perCharacter) {
  const fits = Math.max(4, Math.floor(room / perCharacter));
  return name.length > fits ? `${name.slice(0, fits - 1)}…` : name;
}

function text(content, x, y, className, whole = content) {
  const made = svg("text", { x, y, class: className }, content);
  if (whole !== content) made.append(svg("title", {}, whole));
  return made;
}

function svg(name, attributes, content) {
  const made = document.createElementNS("http://www.w3.org/2000/svg", name);
  for (const [key, value] of Object.entries(attributes)) made.setAttribute(key, value);
  if (content !== undefined) made.append(content);
  return made;
}

let width = 0;
new ResizeObserver(([{ contentRect }]) => {
  if (last && contentRect.width !== width) draw(last.place, last.path, last.error);
  width = contentRect.width;
}).observe(document.getElementById("picture"));
