// Elements, style sheets, and the place in the document that overlays go into.

// Characters that show what follows in another order than it has: `gpj.exe` as `exe.jpg`.
const REORDERING = /[\u202a-\u202e\u2066-\u2069]/g;
const TEXT_ATTRIBUTES = ['title', 'alt', 'aria-label'];

/**
 * Return a name as text that is shown in the order that it has.
 *
 * @param {unknown} text
 */
function inOrder(text) {
  return String(text).replace(REORDERING, '\ufffd');
}

/**
 * Listeners by their property: `onclick` and the like.
 *
 * @template {HTMLElement} Target
 * @typedef {{[Name in keyof HTMLElementEventMap as `on${Name}`]?:
 *   ((event: HTMLElementEventMap[Name] & {currentTarget: Target}) => unknown) | null | false}} Listeners
 */

/**
 * Create an element. Text is set as `textContent`, never as HTML.
 *
 * @template {keyof HTMLElementTagNameMap} Tag
 * @param {Tag} tag
 * @param {Listeners<HTMLElementTagNameMap[Tag]> & Record<string, unknown>} [properties] `class`, `text`, `onclick` and other listeners, attributes (`data-*`, `aria-*`)
 *   and properties of the element. Those that are undefined, null or false are left out.
 * @param {...(Node | string | null | undefined | false)} children Those that are null, undefined or false are left out.
 * @returns {HTMLElementTagNameMap[Tag]}
 */
export function element(tag, properties = {}, ...children) {
  const made = document.createElement(tag);
  for (const [name, value] of Object.entries(properties)) {
    if (value === undefined || value === null || value === false) continue;
    if (name === 'class') made.className = String(value);
    else if (name === 'text') made.textContent = inOrder(value);
    else if (typeof value === 'function') made.addEventListener(name.slice(2), (event) => value(event));
    else if (name in made && !name.includes('-') && typeof value !== 'string') Reflect.set(made, name, value);
    else if (TEXT_ATTRIBUTES.includes(name)) made.setAttribute(name, inOrder(value));
    else made.setAttribute(name, value === true ? '' : String(value));
  }
  const shown = children
    .filter((child) => child !== null && child !== undefined && child !== false)
    .map((child) => (typeof child === 'string' ? inOrder(child) : child));
  made.append(.../** @type {(Node | string)[]} */ (shown));
  return made;
}

/**
 * Set the text of a node if it differs. Setting it at every poll would disturb selections and screen readers.
 *
 * @param {Node} node
 * @param {string} text
 */
export function setText(node, text) {
  const shown = inOrder(text);
  if (node.textContent !== shown) node.textContent = shown;
}

/**
 * Replace the content of a node. Where one of its buttons or fields had the focus, the one in its place gets it.
 *
 * @param {HTMLElement} parent
 * @param {...(Node | string)} children
 */
export function redraw(parent, ...children) {
  /** @returns {(Element | null)[]} */
  const controls = () => [...parent.querySelectorAll('button, input')];
  const at = controls().indexOf(document.activeElement);
  parent.replaceChildren(...children);
  const there = at < 0 ? null : controls()[at];
  if (there instanceof HTMLElement) there.focus({ preventScroll: true });
}

/**
 * Find the element that scrolls the given one.
 *
 * @param {Element} node
 * @returns {Element}
 */
export function scrollerOf(node) {
  for (let each = node.parentElement; each; each = each.parentElement) {
    const overflow = getComputedStyle(each).overflowY;
    if ((overflow === 'auto' || overflow === 'scroll') && each.scrollHeight > each.clientHeight) return each;
  }
  return document.scrollingElement ?? document.documentElement;
}

/**
 * Return what draws on a canvas.
 *
 * @param {HTMLCanvasElement} canvas
 * @returns {CanvasRenderingContext2D}
 * @throws {Error} The browser has no memory, or no right, to draw.
 */
export function drawingContext(canvas) {
  const context = canvas.getContext('2d');
  if (!context) throw new Error('This browser cannot draw on a canvas.');
  return context;
}

// Style sheets

/** @type {Map<string, Promise<void>>} */
const sheets = new Map();

/**
 * Add one of our style sheets to the document, unless it is there already.
 *
 * @param {string} name Path of the file below `static`, such as `collections/view.css`.
 * @returns {Promise<void>} Settles once the sheet has loaded, or has failed to.
 */
export function useStyleSheet(name) {
  const { href } = new URL(`../${name}`, import.meta.url);
  let loading = sheets.get(href);
  if (!loading) {
    loading = new Promise((done) => {
      const link = element('link', { rel: 'stylesheet', href });
      link.addEventListener('load', () => done());
      link.addEventListener('error', () => done());
      document.head.append(link);
    });
    sheets.set(href, loading);
  }
  return loading;
}

/**
 * Add the style sheet of the page.
 *
 * @returns {Promise<void>} Settles once it has loaded, or has failed to.
 */
export function useStyles() {
  return useStyleSheet('page.css');
}

/** Add the style sheets of the page and of the library, video and map views. */
export function useViewStyles() {
  void useStyles();
  void useStyleSheet('views.css');
}

// Overlays

/** @type {HTMLElement} */
let home = document.body;

/**
 * Return the element that dialogs and messages are appended to: inside a view, so that the theme's colours reach them.
 *
 * @returns {HTMLElement}
 */
export function overlayHome() {
  return home.isConnected ? home : document.body;
}

/**
 * Make a view the home of overlays. It stays hidden until its styles have loaded.
 *
 * @param {HTMLElement} parent
 */
export function setOverlayHome(parent) {
  home = parent;
  parent.style.visibility = 'hidden'; // otherwise it would show without its styles for a moment
  void useStyles().then(() => {
    parent.style.visibility = '';
  });
}
