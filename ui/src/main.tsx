import "@fontsource-variable/inter/wght.css";
import "./styles/tokens.css";
import "./styles/base.css";
import { QueryClientProvider } from "@tanstack/react-query";
import { RouterProvider } from "@tanstack/react-router";
import { StrictMode } from "react";
import { createRoot } from "react-dom/client";
import { focusOnWrongWhenSent } from "./parts/Field.tsx";
import { Toasts } from "./parts/Toasts.tsx";
import { TooltipProvider } from "./parts/Tooltip.tsx";
import { queries } from "./queries.ts";
import { router } from "./router.tsx";

focusOnWrongWhenSent();
// Tells that the server is away where the page itself cannot be loaded; browsers have it on HTTPS and on this machine.
if (import.meta.env.PROD) void navigator.serviceWorker?.register("/sw.js").catch(() => undefined);
const root = document.getElementById("root");
if (root) void start(root);

/** What stands in index.html stays until there is a page to show. */
async function start(root: HTMLElement): Promise<void> {
  // The files of the page come while the session is asked for; what goes wrong with them is told when they are shown.
  const matched: readonly { routeId: keyof typeof router.routesById }[] = router.matchRoutes(
    router.latestLocation,
  );
  for (const { routeId } of matched) {
    const page: { preload?: () => Promise<unknown> | undefined } | undefined =
      router.routesById[routeId].options.component;
    void page?.preload?.()?.catch(() => undefined);
  }
  await router.load();
  createRoot(root).render(
    <StrictMode>
      <QueryClientProvider client={queries}>
        <TooltipProvider>
          <RouterProvider router={router} />
          <Toasts />
        </TooltipProvider>
      </QueryClientProvider>
    </StrictMode>,
  );
}
