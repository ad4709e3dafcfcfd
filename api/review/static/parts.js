// Forms with data-parts are sent without leaving the page; the parts they name are put in place.

export function replaceParts() {
  document.addEventListener("submit", async (event) => {
    const form = event.target;
    if (!form.dataset?.parts) return;
    event.preventDefault();
    try {
      const answer = await fetch(form.action, { method: "POST", body: new URLSearchParams(new FormData(form)) });
      const page = new DOMParser().parseFromString(await answer.text(), "text/html");
      for (const id of form.dataset.parts.split(" ")) {
        const part = page.getElementById(id);
        if (!part) throw new Error(id);
        document.getElementById(id).replaceWith(document.adoptNode(part));
      }
      document.dispatchEvent(new Event("partsreplaced"));
      const first = document.getElementById(form.dataset.parts.split(" ")[0]);
      const told = document.querySelector("#failure [role='alert']") ?? first.querySelector("[role='status']");
      told?.scrollIntoView({ block: "nearest" });
    } catch {
      form.submit(); // the plain way shows what is wrong
    }
  });
}
