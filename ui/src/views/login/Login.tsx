import { useMutation, useQuery, useQueryClient } from "@tanstack/react-query";
import { useRouter, useSearch } from "@tanstack/react-router";
import { type FormEvent, useEffect, useState } from "react";
import { signInWays } from "@/api/queries.ts";
import { isBusy, request } from "@/api/request.ts";
import type { SignInWay } from "@/api/types.ts";
import { Button } from "@/parts/Button.tsx";
import { InlineError } from "@/parts/ErrorState.tsx";
import { Field } from "@/parts/Field.tsx";
import styles from "./Login.module.css";
import { keepNext, safeNext } from "./next.ts";

/**
 * By the ways that the server has: at an identity provider, by a proxy that knows who asks, by a form, or by a link that
 * works once: `/login#…`.
 */
export function Login() {
  const enter = useEnter();
  const ways = useQuery(signInWays());
  const forms = ways.data?.filter((way) => way.begins === "form") ?? [];
  const others = ways.data?.filter(({ begins }) => begins === "header" || begins === "redirect");
  const titled = forms.length + (others?.length ?? 0) > 1;
  const exchange = enter.mutate;
  useEffect(() => {
    document.title = "Sign in · Headway";
    const spend = () => {
      const token = location.hash.slice(1);
      if (!token) return;
      // Once used it is worth nothing: it must not stay in the address, nor in the history.
      history.replaceState(history.state, "", location.pathname + location.search);
      exchange({ token });
    };
    spend();
    window.addEventListener("hashchange", spend); // a link that is opened on this very page
    return () => window.removeEventListener("hashchange", spend);
  }, [exchange]);
  return (
    <main className={styles.page}>
      <div className={styles.head}>
        <img src="/favicon.svg" alt="" width={32} height={32} />
        <h1>Headway</h1>
      </div>
      {enter.isPending && "token" in enter.variables ? (
        <p role="status">Signing in …</p>
      ) : (
        <>
          {others?.map((way) => (
            <Button
              key={way.name}
              look="primary"
              disabled={enter.isPending}
              onClick={() => enter.mutate({ way: way.name, begins: way.begins })}
            >
              Sign in with {way.label}
            </Button>
          ))}
          {forms.map((way) => (
            <NameForm key={way.name} way={way} titled={titled} enter={enter} />
          ))}
        </>
      )}
      <InlineError error={enter.error ?? ways.error} />
      {ways.data?.some((way) => way.begins === "link") && (
        <p className={styles.note}>
          To sign in as the local admin, open the link that <code>headway up</code> prints. It works
          once.
        </p>
      )}
    </main>
  );
}

interface NameFormProps {
  way: SignInWay;
  titled: boolean;
  enter: ReturnType<typeof useEnter>;
}

function NameForm({ way, titled, enter }: NameFormProps) {
  const [name, setName] = useState("");
  const [password, setPassword] = useState("");
  function submit(event: FormEvent) {
    event.preventDefault();
    enter.mutate({ name, password, way: way.name });
  }
  return (
    <form className={styles.form} onSubmit={submit}>
      {titled && <h2>{way.label}</h2>}
      <Field label="Name">
        {(attributes) => (
          <input
            {...attributes}
            name="username"
            autoComplete="username"
            required
            value={name}
            onChange={(event) => setName(event.target.value)}
          />
        )}
      </Field>
      <Field label="Password">
        {(attributes) => (
          <input
            {...attributes}
            name="password"
            type="password"
            autoComplete="current-password"
            required
            value={password}
            onChange={(event) => setPassword(event.target.value)}
          />
        )}
      </Field>
      <Button type="submit" look="primary" disabled={enter.isPending}>
        Sign in
      </Button>
    </form>
  );
}

type By =
  | { token: string }
  | { name: string; password: string; way: string }
  | { way: string; begins: SignInWay["begins"] };

function useEnter() {
  const router = useRouter();
  const queries = useQueryClient();
  const { next } = useSearch({ from: "/login" });
  return useMutation({
    retry: isBusy, // a link has left the address by then, so nobody could open it again
    mutationFn: async (by: By) => {
      if ("token" in by) return request("post", "/session/link", { body: by });
      if ("name" in by) return request("post", "/session", { body: by });
      const body = { way: by.way };
      if (by.begins === "header") return request("post", "/session/header", { body });
      const { url } = await request("post", "/session/redirect", { body });
      keepNext(next);
      location.assign(url);
      return new Promise<never>(() => {}); // the page goes away
    },
    onSuccess: () => {
      queries.clear();
      router.history.replace(safeNext(next));
    },
  });
}
