/** The frame of every page. What stands in it is fetched, and shown as text. */
export function Shell({ version }: { version: string }) {
  return (
    <html lang="en">
      <head>
        <meta charset="utf-8" />
        <meta name="viewport" content="width=device-width, initial-scale=1" />
        <meta name="color-scheme" content="light dark" />
        <title>toolgate</title>
        <link rel="icon" href="/icon.svg" type="image/svg+xml" />
        <link rel="stylesheet" href="/console.css" />
        <script type="module" src="/console.js" />
      </head>
      <body>
        <header class="top">
          <a class="brand" href="/approvals">
            <img src="/icon.svg" alt="" width="26" height="26" />
            <span>toolgate</span>
          </a>
          <nav aria-label="Pages">
            <a href="/approvals" data-page="approvals">
              Approvals
              <span class="count" id="open-count" hidden />
            </a>
            <a href="/activity" data-page="activity">
              Activity
            </a>
          </nav>
          <p class="link" id="link" role="status">
            <span class="dot" />
            <span id="link-text">Connecting…</span>
          </p>
        </header>
        <main id="page" tabindex={-1} />
        <footer>toolgate {version} · on this machine only</footer>
        <noscript>The console needs JavaScript. On the command line: toolgate approvals</noscript>
      </body>
    </html>
  );
}
