/** What is used of it: it brings no types of its own. */
declare module 'node-notifier' {
  const notifier: {
    notify: (options: object, done: (error: Error | null, response: unknown) => void) => void;
  };
  export default notifier;
}
