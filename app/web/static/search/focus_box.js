// Gives a text box the focus: the words, for a person who came here to search, or the step that was just begun.

const TRIES = 50;
const TRY_MS = 100;

/**
 * @param {{data: {box: string}}} component
 * @returns {() => void}
 */
export function mount({ data }) {
  let tries = 0;
  const timer = setInterval(() => {
    /** @type {HTMLInputElement | null} */
    const box = document.querySelector(`.st-key-${data.box} input`);
    tries += 1;
    if (box && document.activeElement === document.body) box.focus();
    if (box || tries >= TRIES) clearInterval(timer);
  }, TRY_MS);
  return () => clearInterval(timer);
}
