// The place to which a page was scrolled: kept in this tab by address, found again after Back, Forward and a reload.

const STORED = 'prismsearch.places';
const MOST_PLACES = 50;
const SETTLING_MILLISECONDS = 2000; // for which content may still arrive above a place that was found
const INPUT = ['wheel', 'touchmove', 'pointerdown', 'keydown'];
const CAPTURED = { capture: true, passive: true };

/** @type {string | null} */
let arrived = null; // the address to which the page was scrolled last, by a person or by us
/** @type {{address: string, top: number} | null} */
let wanted = null; // the place that is to be found again
/** @type {string | null} */
let page = null; // the one that was drawn last
/** @type {ResizeObserver | null} */
let sizes = null; // of what the page contains, while a place is wanted
/** @type {ReturnType<typeof setTimeout> | undefined} */
let settled;
let keeping = false;

function address() {
  return location.pathname + location.search;
}

/** @returns {string} The page of the present address, whatever is searched for on it; '' for that of a video. */
function presentPage() {
  return new URLSearchParams(location.search).has('video') ? '' : location.pathname;
}

/** @returns {[string, number][]} The latest last. */
function places() {
  try {
    const stored = JSON.parse(sessionStorage.getItem(STORED) ?? '[]');
    return Array.isArray(stored) ? stored : [];
  } catch {
    return [];
  }
}

/** @param {number} top */
function keep(top) {
  const others = places().filter(([each]) => each !== arrived);
  try {
    sessionStorage.setItem(STORED, JSON.stringify([...others, [arrived, top]].slice(-MOST_PLACES)));
  } catch {
    // Storage is full or switched off: places are lost, and nothing else.
  }
}

/** Look for the place of the present address as soon as its content is there. */
function lookForPlace() {
  forget();
  const known = places().find(([each]) => each === address());
  if (known) wanted = { address: known[0], top: Number(known[1]) };
}

function forget() {
  wanted = null;
  clearTimeout(settled);
  sizes?.disconnect();
  sizes = null;
  scroller()?.style.removeProperty('overflow-anchor');
}

/** @returns {HTMLElement | null} The element of Streamlit's that scrolls the page. */
function scroller() {
  return document.querySelector('.stMain');
}

/** Begin to keep places. Further calls do nothing. */
export function keepPlaces() {
  if (keeping) return;
  keeping = true;
  const [navigation] = performance.getEntriesByType('navigation');
  const type = navigation && 'type' in navigation ? navigation.type : '';
  if (type === 'reload' || type === 'back_forward') lookForPlace();
  addEventListener('popstate', lookForPlace);
  // A browser also scrolls where a page becomes shorter. Only what a person does after arriving is worth keeping.
  const taken = () => {
    forget();
    arrived = address();
  };
  for (const name of INPUT) document.addEventListener(name, taken, CAPTURED);
  const scrolled = (/** @type {Event} */ { target }) => {
    if (target === scroller() && target instanceof Element && arrived === address()) keep(target.scrollTop);
  };
  document.addEventListener('scroll', scrolled, CAPTURED);
}

/** Return whether a place is to be found again, so that a view should be as long as it can be. Call it before drawing. */
export function placeIsWanted() {
  const before = page;
  page = presentPage();
  if (before !== null && page && page !== before) lookForPlace(); // by a link of the page, as back to all videos
  if (wanted && wanted.address !== address()) forget();
  return wanted !== null;
}

/** Scroll to the place that is wanted, if any. A view calls this whenever it has become longer. */
export function findPlace() {
  const main = scroller();
  if (!placeIsWanted() || !wanted || !main) return;
  arrived = wanted.address;
  main.scrollTop = wanted.top;
  if (sizes) return;
  main.style.setProperty('overflow-anchor', 'none'); // or the browser scrolls, too, when something arrives above
  sizes = new ResizeObserver(() => {
    if (wanted) main.scrollTop = wanted.top;
  });
  for (const part of main.children) sizes.observe(part);
  settled = setTimeout(forget, SETTLING_MILLISECONDS);
}
