import { useMutation, useQueryClient } from "@tanstack/react-query";
import { getRouteApi, Link, useRouter } from "@tanstack/react-router";
import { useEffect, useRef } from "react";
import { Problem, request } from "@/api/request.ts";
import { InlineError } from "@/parts/ErrorState.tsx";
import styles from "./Login.module.css";
import { takeNext } from "./next.ts";

const route = getRouteApi("/login/$way");

/** Where an identity provider sends the browser back to: with a code, or with the reason why there is none. */
export function Returned() {
  const { way } = route.useParams();
  const router = useRouter();
  const queries = useQueryClient();
  const spent = useRef(false);
  const exchange = useMutation({
    mutationFn: async (came: URLSearchParams) => {
      const [code, state] = [came.get("code"), came.get("state")];
      if (!code || !state) {
        const said = came.get("error_description") ?? came.get("error") ?? "it says no reason";
        throw new Problem(401, "refused", `The identity provider did not sign you in: ${said}`);
      }
      const iss = came.get("iss");
      return request("post", "/session/code", { body: { way, code, state, iss } });
    },
    onSuccess: () => {
      queries.clear();
      router.history.replace(takeNext());
    },
  });
  const { mutate } = exchange;
  useEffect(() => {
    document.title = "Sign in · Headway";
    if (spent.current) return; // a code is good for once
    spent.current = true;
    const came = new URLSearchParams(location.search);
    // It must not stay in the address, nor in the history.
    history.replaceState(history.state, "", location.pathname);
    mutate(came);
  }, [mutate]);
  return (
    <main className={styles.page}>
      <div className={styles.head}>
        <img src="/favicon.svg" alt="" width={32} height={32} />
        <h1>Headway</h1>
      </div>
      {exchange.error ? (
        <>
          <InlineError error={exchange.error} />
          <Link to="/login">Sign in again</Link>
        </>
      ) : (
        <p role="status">Signing in …</p>
      )}
    </main>
  );
}
