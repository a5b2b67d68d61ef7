import { createRoute, lazyRouteComponent } from "@tanstack/react-router";
import { teamRoute } from "@/app/roots.tsx";

export const sharedRoute = createRoute({
  getParentRoute: () => teamRoute,
  path: "shared/$owner/$dag",
  staticData: { crumb: "Shared" },
  component: lazyRouteComponent(() => import("./Shared.tsx"), "Shared"),
});
