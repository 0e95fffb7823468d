// Gives the search box the focus, for a person who came here to search.

const TRIES = 50;
const TRY_MS = 100;

/** @returns {() => void} */
export function mount() {
  let tries = 0;
  const timer = setInterval(() => {
    /** @type {HTMLInputElement | null} */
    const box = document.querySelector('.st-key-words input');
    tries += 1;
    if (box && document.activeElement === document.body) box.focus();
    if (box || tries >= TRIES) clearInterval(timer);
  }, TRY_MS);
  return () => clearInterval(timer);
}
