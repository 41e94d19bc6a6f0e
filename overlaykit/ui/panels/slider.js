// The browser's own range input: it has a name and takes arrow keys, for those who do not see or do not point.
const TRAITS = ["value", "max", "label"];

function render({ model, el }) {
  const input = document.createElement("input");
  input.type = "range";
  input.min = 0;
  input.dataset.lmSuppressShortcuts = "true"; // or JupyterLab takes the arrow keys for its own
  const draw = () => {
    input.max = model.get("max"); // before the value, which it would cut off
    input.value = model.get("value");
    input.setAttribute("aria-label", model.get("label"));
  };
  const turned = () => {
    model.set("value", input.valueAsNumber);
    model.save_changes();
  };
  draw();
  input.addEventListener("input", turned);
  for (const name of TRAITS) model.on(`change:${name}`, draw);
  el.classList.add("okp-slider");
  el.replaceChildren(input);
  return () => {
    for (const name of TRAITS) model.off(`change:${name}`, draw);
  };
}

export default { render };
