import type { QueryClient } from "@tanstack/react-query";
import { createRootRouteWithContext, createRoute, Outlet, redirect } from "@tanstack/react-router";
import { session } from "@/api/queries.ts";
import { Problem } from "@/api/request.ts";
import { Frame } from "./Frame.tsx";

/** What all routes hang from. The routes themselves are beside the views they show. */
export const rootRoute = createRootRouteWithContext<{ queries: QueryClient }>()({
  component: Outlet,
});

export const teamRoute = createRoute({
  getParentRoute: () => rootRoute,
  path: "/t/$team",
  beforeLoad: async ({ context, location, params, cause }) => {
    const { team } = await signedIn(context.queries, location.href);
    // What is kept of one team is never shown as another's: its pages are loaded anew.
    if (team !== params.team && cause !== "preload") {
      throw redirect({ href: location.href, reloadDocument: true });
    }
  },
  component: Frame,
});

/** Who is signed in; who is not is led to the sign-in, and back afterwards. */
export async function signedIn(client: QueryClient, href: string) {
  try {
    return await client.ensureQueryData(session());
  } catch (error) {
    if (error instanceof Problem && error.status === 401) {
      throw redirect({ to: "/login", search: { next: href } });
    }
    throw error;
  }
}
