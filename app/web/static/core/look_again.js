// Moments at which a page looks again whether anything has changed, in place of asking all the time: it is shown, its window gets the
// focus, somebody moves the pointer or presses a key after a pause, or another tab of this browser has changed something.

const PAUSE_MILLISECONDS = 5000;

/** @type {BroadcastChannel | undefined} */
let channel;

/** Return the channel of all tabs of this browser. */
function theChannel() {
  channel ??= new BroadcastChannel('prismsearch');
  return channel;
}

/** Let the other tabs look again: something has changed. */
export function tellTabs() {
  theChannel().postMessage('changed');
}

/**
 * Call back at these moments, while the page is visible.
 *
 * @param {() => void} look
 * @returns {() => void} Stops it.
 */
export function lookAgain(look) {
  let active = performance.now(); // when a person last did anything here
  const seen = () => {
    if (document.visibilityState !== 'hidden') look();
  };
  const onFocus = () => {
    active = performance.now();
    seen();
  };
  const onActivity = () => {
    const paused = performance.now() - active > PAUSE_MILLISECONDS;
    active = performance.now();
    if (paused) seen();
  };
  document.addEventListener('visibilitychange', seen);
  addEventListener('focus', onFocus);
  for (const name of ACTIVITY) addEventListener(name, onActivity, { capture: true, passive: true });
  theChannel().addEventListener('message', seen);
  return () => {
    document.removeEventListener('visibilitychange', seen);
    removeEventListener('focus', onFocus);
    for (const name of ACTIVITY) removeEventListener(name, onActivity, { capture: true });
    theChannel().removeEventListener('message', seen);
  };
}

const ACTIVITY = ['pointermove', 'pointerdown', 'keydown', 'wheel'];
