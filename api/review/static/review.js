// What scripts add to the reviewers' pages. Every form and link works without them.

import { followBeat } from "./claim.js";
import { listen } from "./keys.js";
import { replaceParts } from "./parts.js";
import { settle } from "./settling.js";
import { keepTyped } from "./typed.js";
import { Viewer } from "./viewer.js";

const viewers = [...document.querySelectorAll("[data-viewer]")]
  .filter((section) => section.querySelector("svg.page"))
  .map((section) => new Viewer(section));
const main = viewers.find((viewer) => viewer.name === "main");

for (const link of document.querySelectorAll("[data-zoom]")) {
  link.addEventListener("click", (event) => {
    if (main?.showMark(link.dataset.zoom)) event.preventDefault();
  });
}

for (const opener of document.querySelectorAll("[data-opens]")) {
  opener.hidden = false;
  opener.addEventListener("click", () => {
    const dialog = document.getElementById(opener.dataset.opens);
    if (!dialog.open) dialog.showModal();
  });
}

for (const rejecting of document.querySelectorAll("details.rejecting")) {
  let isAsked = false; // not what was open on the page before
  rejecting.querySelector("summary").addEventListener("click", () => (isAsked = true));
  rejecting.addEventListener("toggle", () => {
    if (rejecting.open && isAsked) rejecting.querySelector("[data-first]").focus();
  });
}

for (const form of document.querySelectorAll("[data-undo]")) {
  let left = Number(form.dataset.undo);
  const shown = form.querySelector(".countdown");
  const ticking = setInterval(() => {
    left -= 1;
    shown.textContent = String(left);
    if (left > 0) return;
    clearInterval(ticking);
    form.remove();
  }, 1000);
}

// Crops of lines sharpen once everything that matters first has come.
function sharpenCrops() {
  for (const crop of document.querySelectorAll("svg.crop[data-full]")) {
    crop.querySelector("image").setAttribute("href", crop.dataset.full);
  }
}
addEventListener("load", sharpenCrops);

// Once the national number is revealed, the page is shown with it.
document.addEventListener("partsreplaced", () => {
  for (const viewer of viewers) {
    const veil = viewer.section.querySelector("[data-picture]");
    if (veil) viewer.show(veil.dataset.picture);
  }
  sharpenCrops();
});

settle();
keepTyped();
listen();
replaceParts();
followBeat();
document.documentElement.dataset.listens = "yes";
