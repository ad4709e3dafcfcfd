// A decision is taken once, and only where the page has been seen: the second press of a double
// click must not decide the document that comes in the place of the first.

const SEEN_MS = 1000; // after everything has come, the picture too
const SENDING_MS = 10_000; // a form that was stopped on its way can be sent again

export function settle() {
  const form = document.getElementById("decide");
  if (!form) return;
  let isOpen = false;
  const open = (now) => {
    isOpen = now;
    for (const button of form.querySelectorAll("[name='decision']")) button.ariaDisabled = now ? null : "true";
  };
  const openAfter = (delay) => {
    open(false);
    setTimeout(() => open(true), delay);
  };
  form.addEventListener("submit", (event) => {
    if (isOpen) openAfter(SENDING_MS);
    else event.preventDefault();
  });
  open(false);
  addEventListener("pageshow", () => openAfter(SEEN_MS)); // comes after "load", and on going back
}
