// Connection to the server: says that prismsearch is not responding, and goes away by itself when it is back.
//
// Streamlit's front end tells its host of its socket by messages to the window (WEBSOCKET_CONNECTED, WEBSOCKET_DISCONNECTED), and
// reconnects by itself. Without these messages, failed requests of ours would still show the dialog.

import { UNREACHABLE } from './core/api.js';
import { element, overlayHome, setText, useStyles } from './core/dom.js';
import { toast } from './core/toast.js';

const CHECKED = '/_stcore/health'; // any answer will do
const CHECK_MILLISECONDS = 1000;
const AGAIN_MILLISECONDS = 300; // after the first failure, which may be that of a page being left
const PATIENCE_MILLISECONDS = 5000;
const RECONNECT_MILLISECONDS = 12_000; // Streamlit tries again at least every 4 s
const USUAL_PORT = '8501';

/** @typedef {'yes' | 'no' | 'stranger' | 'out' | 'away'} Answer Whether the server answers; a stranger does not know this
 * browser, this browser may have been logged out, and the server of the library may be away. */

/** Follows the connection from the first sign of trouble to its end. */
class Connection {
  constructor() {
    this.socket = true; // as Streamlit last told; it says nothing before it connects
    this.following = false;
    /** @type {Notice | null} */
    this.notice = null;
    /** @param {MessageEvent} event */
    this.onMessage = ({ source, data }) => {
      if (source !== window || data?.stCommVersion !== 1) return;
      if (data.type === 'WEBSOCKET_CONNECTED') this.socket = true;
      if (data.type === 'WEBSOCKET_DISCONNECTED') {
        this.socket = false;
        void this.follow(); // never fails
      }
    };
    this.onUnreachable = () => void this.follow(); // never fails
  }

  /** Start listening. */
  listen() {
    addEventListener('message', this.onMessage);
    addEventListener(UNREACHABLE, this.onUnreachable);
  }

  /** Ask whether the server answers until it does, and show the notice meanwhile. Never fails. */
  async follow() {
    if (this.following) return;
    this.following = true;
    let failures = 0;
    let answering = 0; // since when it answers again
    for (;;) {
      const answer = await ask();
      if (answer === 'yes' && this.socket) break;
      if (answer === 'no') {
        failures += 1;
        answering = 0;
        if (failures > 1) this.show('gone');
      } else {
        answering ||= Date.now();
        if (answer === 'away') answering = 0;
        if (answer === 'stranger' || answer === 'out' || answer === 'away') this.show(answer);
        else if (Date.now() - answering > RECONNECT_MILLISECONDS) this.show('stuck');
      }
      await pause(failures === 1 ? AGAIN_MILLISECONDS : CHECK_MILLISECONDS);
    }
    this.following = false;
    const shown = this.notice !== null;
    this.notice?.remove();
    this.notice = null;
    if (shown) toast('prismsearch is back');
  }

  /** @param {Trouble} trouble */
  show(trouble) {
    // A redrawn page may have taken it away.
    if (this.notice && !this.notice.closed && !this.notice.dialog.isConnected) this.notice.remove();
    if (!this.notice || this.notice.removed) this.notice = new Notice();
    this.notice.say(trouble);
  }
}

/** @typedef {keyof typeof TEXTS} Trouble */

const TEXTS = {
  gone: {
    title: 'prismsearch is not responding',
    about: 'Start it again in its terminal, with the same options as before:',
    after: 'This page then reconnects by itself and keeps what you have typed.',
    reload: false,
  },
  stranger: {
    title: 'Another prismsearch is running at this address',
    about: 'It has another library, or does not know this browser. Stop it and start the one you used before:',
    after: 'Or reload this page to use this one.',
    reload: true,
  },
  out: {
    title: 'You are logged out',
    about: 'Log in again to go on.',
    after: 'What you have typed here and not saved is lost by that.',
    reload: true,
  },
  away: {
    title: 'The library cannot be reached',
    about: 'Its server does not answer at the moment.',
    after: 'This page goes on by itself when it is back, and keeps what you have typed.',
    reload: false,
  },
  stuck: {
    title: 'This page cannot reconnect',
    about: 'prismsearch is running again, but this page lost touch with it.',
    after: 'Reload the page to go on.',
    reload: true,
  },
};

/** The dialog. Closed by a person, it stays closed until the connection is back. */
class Notice {
  constructor() {
    this.closed = false;
    this.removed = false;
    this.title = element('h2', { id: 'ps-gone-title' });
    this.about = element('p', {});
    this.command = element('code', { class: 'ps-gone-command', text: command(location.port) });
    this.after = element('p', { class: 'ps-muted' });
    this.reload = element('button', {
      class: 'ps-button ps-primary',
      type: 'button',
      text: 'Reload',
      onclick: () => location.reload(),
    });
    this.closing = element('button', { class: 'ps-button', type: 'button', text: 'Close' });
    this.dialog = element(
      'div',
      {
        class: 'ps-dialog ps-gone-dialog',
        popover: 'manual',
        role: 'alertdialog',
        'aria-labelledby': 'ps-gone-title',
        'aria-describedby': 'ps-gone-text',
      },
      this.title,
      element('div', { id: 'ps-gone-text', role: 'alert' }, this.about, this.command, this.after),
      element('div', { class: 'ps-gone-buttons' }, this.reload, this.closing),
    );
    this.closing.addEventListener('click', () => this.close());
    overlayHome().append(this.dialog);
  }

  /**
   * Say what is the matter, and open the dialog unless a person has closed it.
   *
   * @param {Trouble} trouble
   */
  say(trouble) {
    const { title, about, after, reload } = TEXTS[trouble];
    setText(this.title, title);
    setText(this.about, about);
    setText(this.after, after);
    this.command.hidden = trouble === 'stuck' || trouble === 'out' || trouble === 'away';
    setText(this.reload, trouble === 'out' ? 'Log in' : 'Reload');
    this.reload.hidden = !reload;
    if (this.closed || this.dialog.matches(':popover-open')) return;
    // Not modal: what is open can be read, and edits of a collection go on; it takes the focus from nobody.
    this.dialog.showPopover();
    if (document.activeElement === document.body) this.closing.focus({ preventScroll: true });
  }

  close() {
    if (this.closed) return;
    this.closed = true;
    if (this.dialog.matches(':popover-open')) this.dialog.hidePopover();
  }

  remove() {
    this.removed = true;
    this.close();
    this.dialog.remove();
  }
}

/**
 * Return the command that starts the server where this page looks for it.
 *
 * @param {string} port
 */
export function command(port) {
  return port === USUAL_PORT ? 'prismsearch ui' : `prismsearch ui --port ${port}`;
}

/** @returns {Promise<Answer>} */
async function ask() {
  try {
    const response = await fetch(CHECKED, { cache: 'no-store', signal: AbortSignal.timeout(PATIENCE_MILLISECONDS) });
    if (response.status === 503) return 'away';
    if (response.status !== 401) return 'yes';
    return response.headers.has('X-Prismsearch-Login') ? 'out' : 'stranger';
  } catch {
    return 'no';
  }
}

/**
 * Wait; on a hidden page, until it is shown.
 *
 * @param {number} milliseconds
 * @returns {Promise<void>}
 */
async function pause(milliseconds) {
  await new Promise((done) => {
    setTimeout(done, milliseconds);
  });
  if (document.visibilityState !== 'hidden') return;
  await new Promise((done) => {
    document.addEventListener('visibilitychange', () => done(undefined), { once: true });
  });
}

void useStyles(); // now: they cannot be loaded once the server is gone
new Connection().listen();
