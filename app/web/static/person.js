// The person who is logged in, at the upper edge of every page, with the way out. Where nobody logs in, it is not mounted.

import { api, messageOf } from './core/api.js';
import { element, useStyles } from './core/dom.js';
import { toast } from './core/toast.js';

const MENU = 'ps-person-menu';

/**
 * Mount the name of the person, and a menu with the role and the log-out. What needs another role is hidden (page.css).
 *
 * @param {import('./core/types.js').Component<{name: string, role: string, may: string}>} component `may`: what the role
 *   allows, in words.
 * @returns {() => void} Removes it.
 */
export function mount({ data, parentElement }) {
  void useStyles();
  const { name, role, may } = data;
  document.documentElement.dataset.psRole = role;
  const out = element('button', {
    class: 'ps-button',
    type: 'button',
    text: 'Log out',
    onclick: ({ currentTarget }) => logOut(currentTarget),
  });
  const menu = element(
    'div',
    { id: MENU, class: 'ps-person-menu', popover: 'auto' },
    element('strong', { text: name }),
    element('p', { class: 'ps-muted', text: may }),
    out,
  );
  const button = element(
    'button',
    { class: 'ps-person', type: 'button', popovertarget: MENU, 'aria-label': `Logged in as ${name}` },
    element('span', { text: name }),
  );
  parentElement.append(button, menu);
  return () => {
    button.remove();
    menu.remove();
  };
}

/**
 * Log out and show the form.
 *
 * @param {HTMLButtonElement} button
 */
async function logOut(button) {
  button.disabled = true;
  try {
    await api('/logout', { method: 'POST' });
    location.assign('/');
  } catch (error) {
    button.disabled = false;
    toast(messageOf(error));
  }
}
