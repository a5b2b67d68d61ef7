import { type FormEvent, type ReactNode, useId, useState } from "react";
import type { Question } from "@/api/types.ts";
import { type Draft, readAll } from "@/lib/params.ts";
import { Button } from "@/parts/Button.tsx";
import { InlineError } from "@/parts/ErrorState.tsx";
import { ParamFields } from "@/parts/ParamFields.tsx";
import styles from "./Question.module.css";
import type { Given } from "./useAnswer.ts";

/** What a form needs to know of a question. */
type Asked = Pick<Question, "subject" | "ask" | "options" | "multiple" | "params">;

interface Props {
  question: Asked;
  /** How the answer is sent. */
  sending: { mutate: (given: Given) => void; isPending: boolean; error: unknown };
  /** What stands beside its buttons. */
  children?: ReactNode;
}

/** What is chosen and filled in. Where there are only two ways to go on, each is a button. */
export function AnswerForm({ question, sending, children }: Props) {
  const [drafts, setDrafts] = useState<ReadonlyMap<string, Draft>>(new Map());
  const [chosen, setChosen] = useState<readonly string[]>([]);
  const [tried, setTried] = useState(false);
  const { values, wrong } = readAll(question.params, drafts);
  const choosing = question.ask === "choose" && question.options.length > 1;

  function send(options: readonly string[]) {
    setTried(true);
    if (wrong.size > 0 || options.length === 0) return;
    sending.mutate({ chosen_options: [...options], params_input: values });
  }

  /** With the button that was pressed; by Enter, with the first. */
  function submit(event: FormEvent<HTMLFormElement>) {
    event.preventDefault();
    const pressed = (event.nativeEvent as SubmitEvent).submitter?.getAttribute("value");
    send(choosing ? chosen : [pressed ?? question.options[0] ?? ""]);
  }

  return (
    <form className={styles.form} onSubmit={submit} noValidate aria-label={question.subject}>
      <ParamFields
        params={question.params}
        drafts={drafts}
        wrong={tried ? wrong : undefined}
        onChange={setDrafts}
      />
      {choosing && (
        <Options
          question={question}
          chosen={chosen}
          wrong={tried && chosen.length === 0}
          choose={setChosen}
        />
      )}
      <InlineError error={sending.error} />
      <div className={styles.buttons}>
        {choosing ? (
          <Button type="submit" look="primary" disabled={sending.isPending}>
            Answer
          </Button>
        ) : (
          question.options.map((option, index) => (
            <Button
              key={option}
              type="submit"
              value={option}
              look={index === 0 ? "primary" : "plain"}
              disabled={sending.isPending}
            >
              {question.ask === "ask" ? "Send" : option}
            </Button>
          ))
        )}
        {children}
      </div>
    </form>
  );
}

/** One to choose, or several. */
function Options({
  question,
  chosen,
  wrong,
  choose,
}: {
  question: Asked;
  chosen: readonly string[];
  wrong: boolean;
  choose: (chosen: readonly string[]) => void;
}) {
  const name = useId();
  const toggled = (option: string) =>
    question.options.filter((each) => chosen.includes(each) !== (each === option));
  return (
    <fieldset className={styles.options} aria-describedby={wrong ? `${name}-wrong` : undefined}>
      <legend className="sr-only">{question.multiple ? "Options" : "One of these options"}</legend>
      {question.options.map((option) => (
        <label key={option}>
          <input
            type={question.multiple ? "checkbox" : "radio"}
            name={name}
            aria-invalid={wrong}
            checked={chosen.includes(option)}
            onChange={() => choose(question.multiple ? toggled(option) : [option])}
          />
          {option}
        </label>
      ))}
      {wrong && (
        <p id={`${name}-wrong`} role="alert">
          Choose an option.
        </p>
      )}
    </fieldset>
  );
}
