import { Link2 } from "lucide-react";
import { type ReactNode, useState } from "react";
import type { Question } from "@/api/types.ts";
import { assignees, filled, overdue } from "@/lib/questions.ts";
import { Button } from "@/parts/Button.tsx";
import { Doc } from "@/parts/Doc.tsx";
import { RelativeTime } from "@/parts/Time.tsx";
import { useMay } from "@/state/session.ts";
import { named } from "../events/describe.ts";
import { AnswerForm } from "./AnswerForm.tsx";
import { AnswerLinkDialog } from "./AnswerLinkDialog.tsx";
import styles from "./Question.module.css";
import { useAnswer } from "./useAnswer.ts";

/** A question of a task, and its answer or the way to give it. */
export function QuestionCard({ question, place }: { question: Question; place?: ReactNode }) {
  return (
    <QuestionText question={question} place={place}>
      {question.answer ? null : question.may_answer ? (
        <Answering question={question} />
      ) : (
        <Others question={question} />
      )}
    </QuestionText>
  );
}

/** What is asked, since when, and until when; what was answered. */
export function QuestionText({
  question,
  place,
  children,
}: {
  question: Question;
  /** Which task asks. */
  place?: ReactNode;
  children?: ReactNode;
}) {
  const { subject, body, asked_at, ends_at, answer } = question;
  return (
    <section className={styles.question} aria-label={subject} data-answered={Boolean(answer)}>
      <h3>{subject}</h3>
      {body && <Doc text={body} waiting={<p className={styles.body}>{body}</p>} />}
      <p className={styles.note}>
        {place}
        <span>
          asked <RelativeTime at={asked_at} />
        </span>
        {ends_at && (
          <span>
            ends <RelativeTime at={ends_at} />, {overdue(question)}
          </span>
        )}
      </p>
      {answer && <Answered question={question} />}
      {children}
    </section>
  );
}

function Answered({ question: { answer, ask } }: { question: Question }) {
  if (!answer) return null;
  const values = Object.entries(answer.params_input);
  return (
    <>
      <p>
        {ask !== "ask" && (
          <>
            <strong>{answer.chosen_options.join(", ")}</strong>{" "}
          </>
        )}
        {answer.timed_out
          ? "by default: nobody answered in time"
          : `by ${named(answer.answered_by)}`}
        , <RelativeTime at={answer.answered_at} />
      </p>
      {values.length > 0 && (
        <dl className={styles.values}>
          {values.map(([name, value]) => (
            <div key={name} style={{ display: "contents" }}>
              <dt>{name}</dt>
              <dd>{filled(value)}</dd>
            </div>
          ))}
        </dl>
      )}
    </>
  );
}

function Answering({ question }: { question: Question }) {
  const [linking, setLinking] = useState(false);
  const mayLink = useMay("run.link");
  return (
    <>
      <AnswerForm question={question} sending={useAnswer(question)}>
        {mayLink && (
          <Button look="quiet" onClick={() => setLinking(true)}>
            <Link2 size={14} aria-hidden />
            Link…
          </Button>
        )}
      </AnswerForm>
      {linking && <AnswerLinkDialog question={question} close={() => setLinking(false)} />}
    </>
  );
}

function Others({ question }: { question: Question }) {
  const may = useMay("task.answer");
  const names = assignees(question);
  return (
    <p className={styles.note}>
      {may && names
        ? `Only ${names} may answer.`
        : "Your role lets you read this question, not answer it."}
    </p>
  );
}
