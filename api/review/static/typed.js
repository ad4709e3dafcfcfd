// What a reviewer typed stays in this tab until it was recorded and cannot be undone any more: it is
// there again on another page of the document, after signing in again, and after an undo.

const PREFIX = "typed ";
const UNDONE_MS = 15_000; // longer than a decision can be undone

export function keepTyped() {
  const reviewer = document.querySelector(".who")?.textContent;
  if (!reviewer) return;
  const mine = `${PREFIX}${reviewer} `;
  const kept = (key) => JSON.parse(sessionStorage.getItem(key) ?? "null");
  const keep = (key, typed) => sessionStorage.setItem(key, JSON.stringify(typed));
  const forget = (isOver) => {
    for (const key of Object.keys(sessionStorage)) if (key.startsWith(PREFIX) && isOver(key)) sessionStorage.removeItem(key);
  };
  document.querySelector("form[action='/review/logout']").addEventListener("submit", () => forget(() => true));
  forget((key) => !key.startsWith(mine) || Date.now() - (kept(key).recordedAt ?? Date.now()) > UNDONE_MS);

  const recorded = mine + document.querySelector("[data-done]")?.dataset.done;
  if (kept(recorded)) keep(recorded, { recordedAt: Date.now(), ...kept(recorded) });

  const form = document.getElementById("decide");
  if (!form) return;
  const key = mine + form.dataset.document;
  const typed = kept(key);
  const wasUndone = new URLSearchParams(location.search).has("undone");
  const isWanted = typed && (!typed.recordedAt || wasUndone);
  if (isWanted && !("answered" in form.dataset)) bringBack(form, typed);
  const keepForm = () => keep(key, typedIn(form));
  for (const kind of ["input", "toggle"]) form.addEventListener(kind, keepForm, true); // "toggle" does not bubble
  if (isWanted) keepForm();
}

function typedIn(form) {
  return {
    note: form.note.value,
    reason: form.reason.value,
    isOpen: form.querySelector(".rejecting").open,
    report: form.report.value,
    ticked: choices(form).filter((box) => box.checked).map((box) => box.name),
  };
}

function bringBack(form, typed) {
  form.note.value = typed.note;
  form.reason.value = typed.reason;
  form.querySelector(".rejecting").open = typed.isOpen;
  if (typed.report !== form.report.value) return; // other reasons were found since
  for (const box of choices(form)) box.checked = typed.ticked.includes(box.name);
  form.querySelector(".more-choices").open = form.querySelector(".more-choices :checked") !== null;
}

function choices(form) {
  return [...form.querySelectorAll(".choices input")];
}
