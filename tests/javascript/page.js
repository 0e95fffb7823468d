// A document for the modules under test: happy-dom's, in place of a browser. Import it before any module of the page.

import { Window } from 'happy-dom';

const window = new Window({
  url: 'http://127.0.0.1:8501/',
  width: 1440,
  height: 900,
  settings: { handleDisabledFileLoadingAsSuccess: true }, // style sheets count as loaded; nothing is fetched
});

const kept = new Set([
  'undefined',
  'NaN',
  'Infinity',
  'globalThis',
  'window',
  'console',
  'process',
  'Buffer',
  'performance',
]);

/** Names that a browser has and Node lacks, or has of another kind: elements and events must come from one document. */
const fromPage = Object.getOwnPropertyNames(window).filter((name) => {
  if (kept.has(name) || /^_|^on/.test(name)) return false;
  return (
    !(name in globalThis) ||
    /Event|Event$|^(Node|Element|Text|Storage|localStorage|sessionStorage|navigator|location)/.test(name)
  );
});

for (const name of fromPage) {
  const value = Reflect.get(window, name);
  const bound = typeof value === 'function' && !/^[A-Z]/.test(name) ? value.bind(window) : value;
  Object.defineProperty(globalThis, name, { value: bound, configurable: true, writable: true });
}
Object.defineProperty(globalThis, 'window', { value: globalThis, configurable: true });

// happy-dom has no popovers.
/** @type {WeakSet<Element>} */
const popovers = new WeakSet();
const { matches } = Element.prototype;
Object.assign(Element.prototype, {
  /**
   * @this {Element}
   * @param {string} selector
   */
  matches(selector) {
    return selector === ':popover-open' ? popovers.has(this) : matches.call(this, selector);
  },
});
HTMLElement.prototype.showPopover = function () {
  popovers.add(this);
};
HTMLElement.prototype.hidePopover = function () {
  popovers.delete(this);
};

// Node's channels keep its process alive.
/** @type {Set<EventTarget>} */
const channels = new Set();
class Channel extends EventTarget {
  constructor() {
    super();
    channels.add(this);
  }

  /** @param {unknown} data */
  postMessage(data) {
    for (const each of channels) if (each !== this) each.dispatchEvent(Object.assign(new Event('message'), { data }));
  }
}
Object.defineProperty(globalThis, 'BroadcastChannel', { value: Channel, configurable: true });

export { window };
