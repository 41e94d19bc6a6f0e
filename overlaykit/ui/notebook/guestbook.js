// The guest book in a frame. Where it is reached is known in the browser alone: Jupyter may be anywhere.
function throughJupyter(port) {
  const config = document.getElementById("jupyter-config-data");
  const base = config && JSON.parse(config.textContent).baseUrl;
  return base && port ? new URL(`${base}proxy/${port}/`, location.origin).href : null;
}

// A Jupyter server without the proxy says 404; then only a browser on the same machine gets there.
async function findPage(model) {
  const address = throughJupyter(model.get("port"));
  if (!address) return model.get("address");
  const answer = await fetch(address, { cache: "no-store" }).catch(() => null);
  return answer && answer.status === 404 ? model.get("address") : address;
}

function element(name, properties, ...children) {
  const made = Object.assign(document.createElement(name), properties);
  made.append(...children);
  return made;
}

function trouble(model) {
  const again = element("button", { textContent: "Try again", className: "jupyter-button" });
  again.addEventListener("click", () => {
    again.disabled = true;
    model.send("look again");
  });
  return [element("p", { role: "alert", textContent: model.get("trouble") }), again];
}

async function page(model) {
  const address = await findPage(model);
  const host = model.get("host");
  const link = element("a", { href: address, target: "_blank", rel: "noopener", textContent: "Open it in a tab" });
  return [
    element("p", {}, `The guest book, through ${host}. `, link),
    element("iframe", { src: address, title: `The guest book, through ${host}` }),
  ];
}

function render({ model, el }) {
  const draw = async () => el.replaceChildren(...(model.get("trouble") ? trouble(model) : await page(model)));
  el.classList.add("okg-guestbook");
  draw();
  model.on("change:looks", draw);
  return () => model.off("change:looks", draw);
}

export default { render };
