// One page in an SVG whose coordinates are page pixels: what is seen is its viewBox.

const STEP = 1.25; // of one zoom step
const PAN = 0.15; // of what is seen, per pan step
const SMALLEST = 40; // page pixels that are seen at least
const SMALL_SIDE = 1000; // pixels of the longer side of the picture that comes first
const BADGES_GROW = 1.6; // at most, seen from afar

export class Viewer {
  constructor(section) {
    this.section = section;
    this.name = section.dataset.viewer;
    this.svg = section.querySelector("svg.page");
    this.turned = this.svg.querySelector(".turned");
    this.width = Number(this.svg.dataset.width);
    this.height = Number(this.svg.dataset.height);
    this.quarters = 0;
    this.isSharp = false;
    this.badges = [...this.svg.querySelectorAll(".badge")];
    const [x, y, width, height] = this.svg.getAttribute("viewBox").split(" ").map(Number);
    this.see({ x, y, width, height });
    for (const tools of section.querySelectorAll(".tools, .tool")) tools.hidden = false;
    for (const button of section.querySelectorAll("[data-do]")) {
      button.addEventListener("click", () => this.act(button.dataset.do));
    }
    this.svg.addEventListener("wheel", (event) => this.wheel(event), { passive: false });
    this.svg.addEventListener("pointerdown", (event) => this.drag(event));
    this.svg.addEventListener("dblclick", (event) => this.zoom(STEP * STEP, this.at(event)));
    this.recallLayers();
  }

  act(what) {
    const along = { left: [-1, 0], right: [1, 0], up: [0, -1], down: [0, 1] }[what];
    if (along) this.pan(along[0] * PAN * this.seen.width, along[1] * PAN * this.seen.height);
    else if (what === "in") this.zoom(STEP);
    else if (what === "out") this.zoom(1 / STEP);
    else if (what === "fit") this.see(this.whole());
    else if (what === "full") this.zoom(this.perPixel() * devicePixelRatio);
    else if (what === "turn") this.turn();
    else if (what === "layers") this.toggleLayers();
  }

  // The whole page as it is turned.
  whole() {
    if (this.quarters % 2 === 0) return { x: 0, y: 0, width: this.width, height: this.height };
    return {
      x: (this.width - this.height) / 2,
      y: (this.height - this.width) / 2,
      width: this.height,
      height: this.width,
    };
  }

  see(view) {
    this.seen = view;
    const { x, y, width, height } = view;
    this.svg.setAttribute("viewBox", [x, y, width, height].map((n) => n.toFixed(1)).join(" "));
    this.svg.dataset.zoom = (this.width / width).toFixed(3);
    this.sharpen();
    this.fitBadges();
  }

  // Page pixels per pixel of the screen.
  perPixel() {
    const box = this.svg.getBoundingClientRect();
    if (!box.width || !box.height) return 1;
    return Math.max(this.seen.width / box.width, this.seen.height / box.height);
  }

  zoom(factor, at) {
    const { x, y, width, height } = this.seen;
    const most = Math.max(this.width, this.height) * 2;
    const shown = Math.min(Math.max(width / factor, SMALLEST), most);
    const by = shown / width;
    const fixed = at ?? { x: x + width / 2, y: y + height / 2 };
    this.see({
      x: fixed.x - (fixed.x - x) * by,
      y: fixed.y - (fixed.y - y) * by,
      width: shown,
      height: height * by,
    });
  }

  pan(x, y) {
    const { width, height } = this.seen;
    const whole = this.whole();
    const keep = (value, from, to) => Math.min(Math.max(value, from), to);
    this.see({
      x: keep(this.seen.x + x, whole.x - width / 2, whole.x + whole.width - width / 2),
      y: keep(this.seen.y + y, whole.y - height / 2, whole.y + whole.height - height / 2),
      width,
      height,
    });
  }

  turn() {
    this.quarters = (this.quarters + 1) % 4;
    const centre = `${this.width / 2} ${this.height / 2}`;
    this.turned.setAttribute("transform", `rotate(${this.quarters * 90} ${centre})`);
    this.see(this.whole());
  }

  // Zooms to the middle of a reason's first region; false when it is not on this page.
  showMark(id) {
    const mark = this.svg.querySelector(`[id="${id}"]`);
    if (!mark) return false;
    for (const other of this.svg.querySelectorAll(".mark")) other.classList.toggle("chosen", other === mark);
    const box = this.boxOf(mark.querySelector("polygon"));
    const margin = Math.max(box.width, box.height) * 0.6;
    const least = Math.max(this.width, this.height) * 0.12;
    const width = Math.min(Math.max(box.width + margin, least), this.whole().width);
    const height = Math.min(Math.max(box.height + margin, least), this.whole().height);
    this.see({ x: box.x + (box.width - width) / 2, y: box.y + (box.height - height) / 2, width, height });
    this.section.scrollIntoView({ block: "nearest" });
    return true;
  }

  // The box of a shape as the page is turned, in the coordinates of the viewBox.
  boxOf(shape) {
    const box = shape.getBBox();
    const turned = this.turned.transform.baseVal.consolidate()?.matrix;
    if (!turned) return box;
    const corners = [
      [box.x, box.y],
      [box.x + box.width, box.y + box.height],
    ].map(([x, y]) => new DOMPoint(x, y).matrixTransform(turned));
    const [xs, ys] = [corners.map((c) => c.x), corners.map((c) => c.y)];
    const [x, y] = [Math.min(...xs), Math.min(...ys)];
    return { x, y, width: Math.max(...xs) - x, height: Math.max(...ys) - y };
  }

  at(event) {
    const matrix = this.svg.getScreenCTM().inverse();
    return new DOMPoint(event.clientX, event.clientY).matrixTransform(matrix);
  }

  wheel(event) {
    event.preventDefault();
    this.zoom(event.deltaY < 0 ? STEP : 1 / STEP, this.at(event));
  }

  drag(event) {
    if (event.button !== 0) return;
    event.preventDefault();
    let last = event;
    const move = (next) => {
      const by = this.perPixel();
      this.pan((last.clientX - next.clientX) * by, (last.clientY - next.clientY) * by);
      last = next;
    };
    const end = () => {
      removeEventListener("pointermove", move);
      removeEventListener("pointerup", end);
      removeEventListener("pointercancel", end);
    };
    addEventListener("pointermove", move);
    addEventListener("pointerup", end);
    addEventListener("pointercancel", end);
  }

  // The large picture is fetched only once the small one would look coarse.
  sharpen() {
    if (this.isSharp || !this.section.dataset.full) return;
    const coarse = Math.max(this.width, this.height) / SMALL_SIDE;
    if (coarse <= 1 || this.perPixel() * 1.3 >= coarse) return;
    this.isSharp = true;
    const picture = new Image();
    picture.addEventListener("load", () => this.turned.querySelector("image").setAttribute("href", picture.src));
    picture.src = this.section.dataset.full;
  }

  // Another picture of the same page, the sharp one again only once it is needed.
  show(picture) {
    if (picture === this.section.dataset.full) return;
    this.section.dataset.full = picture;
    this.isSharp = false;
    this.turned.querySelector("image").setAttribute("href", `${picture}&size=small`);
    this.sharpen();
  }

  // Badges keep their size on the screen while the page grows and shrinks.
  fitBadges() {
    const scale = Math.min(this.seen.width / this.width, BADGES_GROW);
    for (const badge of this.badges) {
      badge.setAttribute("transform", `translate(${badge.dataset.x} ${badge.dataset.y}) scale(${scale.toFixed(3)})`);
    }
  }

  boxes() {
    return [...this.section.querySelectorAll(".layers input")];
  }

  toggleLayers() {
    const anyShown = this.boxes().some((box) => box.checked);
    for (const box of this.boxes()) box.checked = anyShown ? false : !["blur", "other"].includes(box.value);
    this.keepLayers();
  }

  keepLayers() {
    const shown = Object.fromEntries(this.boxes().map((box) => [box.value, box.checked]));
    sessionStorage.setItem("layers", JSON.stringify({ ...this.kept(), ...shown }));
  }

  recallLayers() {
    const kept = this.kept();
    for (const box of this.boxes()) {
      if (box.value in kept) box.checked = kept[box.value];
      box.addEventListener("change", () => this.keepLayers());
    }
  }

  kept() {
    return JSON.parse(sessionStorage.getItem("layers") ?? "{}");
  }
}
