// Keys by their place on the keyboard (event.code), so that they work with every layout.
// What a key does stands in the page: it presses the element whose data-key lists its code.

const TYPED_IN = "input:not([type='checkbox']), textarea, select, [contenteditable]";

export function listen() {
  if (document.documentElement.dataset.keys === "off") return;
  addEventListener("keydown", (event) => {
    if (event.ctrlKey || event.metaKey || event.altKey || event.isComposing || event.repeat && !isPan(event.code)) return;
    if (event.target.closest?.(TYPED_IN) || document.querySelector("dialog[open]")) return;
    if (event.code === "Slash" && !event.shiftKey) return;
    const pressed = [...document.querySelectorAll("[data-key]")].find(
      (element) => element.dataset.key.split(" ").includes(event.code) && !element.disabled,
    );
    if (!pressed) return;
    event.preventDefault();
    pressed.click();
  });
}

function isPan(code) {
  return code.startsWith("Arrow");
}
