import { useMutation } from "@tanstack/react-query";
import { useEffect } from "react";
import { request } from "@/api/request.ts";
import type { LinkedQuestion as Linked } from "@/api/types.ts";
import { Doc } from "@/parts/Doc.tsx";
import { InlineError } from "@/parts/ErrorState.tsx";
import { RelativeTime } from "@/parts/Time.tsx";
import { AnswerForm } from "../questions/AnswerForm.tsx";
import type { Given } from "../questions/useAnswer.ts";
import styles from "./Linked.module.css";

const secret = () => location.hash.slice(1);

/** One question, answered by a link without signing in: `/question#…`. To open it changes nothing. */
export function LinkedQuestion() {
  const read = useMutation({
    mutationFn: () => request("post", "/linked-question", { body: { token: secret() } }),
  });
  const answer = useMutation({
    mutationFn: (given: Given) =>
      request("post", "/linked-answer", { body: { token: secret(), ...given } }),
    onError: () => read.mutate(), // somebody else may have been first
  });
  const show = read.mutate;
  useEffect(() => {
    document.title = "Question · Headway";
    show();
    const again = () => show();
    window.addEventListener("hashchange", again);
    return () => window.removeEventListener("hashchange", again);
  }, [show]);
  const question = answer.data ?? read.data;
  return (
    <main className={styles.page}>
      <h1>{question?.subject ?? "Question"}</h1>
      {question && <About question={question} />}
      {question?.is_open && <AnswerForm question={question} sending={answer} />}
      {!question && read.isPending && <p role="status">Loading …</p>}
      <InlineError error={question?.is_open ? null : (answer.error ?? read.error)} />
    </main>
  );
}

function About({ question }: { question: Linked }) {
  const { dag_id, task_id, team, body, ends_at, is_open, yours, recipient } = question;
  return (
    <>
      {body && <Doc text={body} waiting={<p className={styles.body}>{body}</p>} />}
      <p className={styles.note}>
        {task_id} of {dag_id}, team {team} · asked <RelativeTime at={question.asked_at} />
        {ends_at && is_open && (
          <>
            {" "}
            · ends <RelativeTime at={ends_at} />
          </>
        )}
      </p>
      {is_open ? (
        <p className={styles.note}>
          This link is for {recipient}. It expires <RelativeTime at={question.expires_at} />.
        </p>
      ) : (
        <p role="status">
          {yours ? `Answered: ${yours.join(", ")}.` : "This question has been answered already."}
        </p>
      )}
    </>
  );
}
