// What Streamlit's front end reads of the site that hosts it, before its own script runs. It is within the page's HTML, not a module.

Object.assign(window, {
  __streamlit: {
    // Otherwise it would ask for its health below the current page first (/library/_stcore/health), which does not exist.
    BACKEND_BASE_URL: `${location.origin}/`,
    // With these, it connects at once, without asking for them first.
    HOST_CONFIG: {
      allowedOrigins: ['https://nobody.invalid'], // no other site sends it commands
      useExternalAuthToken: false,
      // Its dialogs on a lost connection speak of the internet; connection.js has ours.
      blockErrorDialogs: true,
    },
  },
});
