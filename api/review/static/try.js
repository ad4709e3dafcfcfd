// The page to try a document: dropping a file, and how far its upload and examination are.

const form = document.getElementById("trying");
bind(form);

function bind(form) {
  const file = form.querySelector("input[type='file']");
  const drop = form.querySelector(".drop");
  form.querySelector(".drop-hint").hidden = false;
  for (const kind of ["dragover", "dragenter"]) {
    drop.addEventListener(kind, (event) => {
      event.preventDefault();
      drop.classList.add("over");
    });
  }
  drop.addEventListener("dragleave", () => drop.classList.remove("over"));
  drop.addEventListener("drop", (event) => {
    event.preventDefault();
    drop.classList.remove("over");
    if (event.dataTransfer.files.length) file.files = event.dataTransfer.files;
  });
  form.addEventListener("submit", (event) => {
    event.preventDefault();
    send(form);
  });
}

function send(form) {
  const [panel, bar, text] = [".progress", "progress", "#progress-text"].map((found) => form.querySelector(found));
  const button = form.querySelector("[type='submit']");
  const say = (words) => {
    text.textContent = words;
  };
  panel.hidden = false;
  button.disabled = true;
  bar.value = 0;
  say(form.dataset.uploading);

  const request = new XMLHttpRequest();
  request.open("POST", form.action);
  request.upload.addEventListener("progress", (event) => {
    if (event.lengthComputable) bar.value = (100 * event.loaded) / event.total;
  });
  request.upload.addEventListener("load", () => {
    bar.removeAttribute("value"); // nobody can tell how long the examination takes
    say(form.dataset.analysing);
  });
  request.addEventListener("error", () => {
    button.disabled = false;
    bar.value = 0;
    say(form.dataset.failed);
  });
  request.addEventListener("load", () => {
    const page = new DOMParser().parseFromString(request.responseText, "text/html");
    const answer = page.getElementById("content");
    if (!answer) {
      button.disabled = false;
      say(form.dataset.failed);
      return;
    }
    document.getElementById("content").replaceWith(document.adoptNode(answer));
    bind(document.getElementById("trying"));
    document.getElementById("result").focus();
    scrollTo(0, 0);
  });
  request.send(new FormData(form));
}
