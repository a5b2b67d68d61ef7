import { createRoute } from "@tanstack/react-router";
import { lazyPage } from "@/app/lazyPage.ts";
import { teamRoute } from "@/app/roots.tsx";

export const sharedRoute = createRoute({
  getParentRoute: () => teamRoute,
  path: "shared/$owner/$dag",
  staticData: { crumb: "Shared" },
  component: lazyPage(() => import("./Shared.tsx"), "Shared"),
});
