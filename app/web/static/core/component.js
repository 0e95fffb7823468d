// Component: a view's side of a Streamlit component. Streamlit calls `mount` again whenever its data changes.

/**
 * @template Data
 * @typedef {import('./types.js').Component<Data>} Component
 */

/**
 * What a component shows in an element.
 *
 * @template Data
 * @typedef {object} View
 * @property {(component: Component<Data>) => void} [update] Take over what the page passes now; called after creation, too.
 * @property {() => void} remove
 */

/**
 * Return the `mount` of a component: it creates one view for each element, and updates that one when it is called again.
 *
 * @template Data
 * @param {(component: Component<Data>) => View<Data>} create
 * @returns {(component: Component<Data>) => () => void} What `mount` returns removes the view.
 */
export function mountOnce(create) {
  /** @type {WeakMap<HTMLElement, View<Data>>} */
  const views = new WeakMap();
  return (component) => {
    const { parentElement } = component;
    const view = views.get(parentElement) ?? create(component);
    views.set(parentElement, view);
    view.update?.(component);
    return () => {
      view.remove();
      views.delete(parentElement);
    };
  };
}

/**
 * Start a run of the page's script with a value. Its time makes it unique, so that the same value can be sent twice.
 *
 * @param {Pick<Component<unknown>, 'setTriggerValue'>} component
 * @param {string} name
 * @param {object} value
 */
export function trigger(component, name, value) {
  component.setTriggerValue(name, { ...value, at: Date.now() });
}
