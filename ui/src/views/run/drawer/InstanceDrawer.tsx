import { useQuery } from "@tanstack/react-query";
import { instance as instanceQuery } from "@/api/instances.ts";
import { runTasks } from "@/api/runTasks.ts";
import type { Selection } from "@/lib/selection.ts";
import { Button } from "@/parts/Button.tsx";
import { Drawer } from "@/parts/Drawer.tsx";
import { ErrorState } from "@/parts/ErrorState.tsx";
import { SkeletonRows } from "@/parts/Skeleton.tsx";
import styles from "./Drawer.module.css";
import { InstanceDetail } from "./InstanceDetail.tsx";
import { InstanceList } from "./InstanceList.tsx";

/** The selected task of a run; of a mapped one its instances, until one of them is chosen. */
export function InstanceDrawer({
  run,
  task,
  selection,
  select,
}: {
  run: string;
  task: string;
  selection: Selection;
  select: (selection: Selection) => void;
}) {
  const tasks = useQuery(runTasks(run));
  const found = tasks.data?.find((each) => each.task_id === task);
  const many = found?.mapped && selection.map === undefined;
  return (
    <Drawer
      title={
        <Title
          run={run}
          task={task}
          map={selection.map}
          mapped={found?.mapped}
          group={found?.mapped_group}
          items={(group) => select({ run: selection.run, group })}
          all={() => select({ run: selection.run, task, state: selection.state })}
        />
      }
      close={() => select({ run: selection.run })}
    >
      {tasks.isPending && <SkeletonRows count={8} />}
      {tasks.isError && <ErrorState error={tasks.error} what="The task" retry={tasks.refetch} />}
      {tasks.data && !found && <p className={styles.top}>This run has no task with that name.</p>}
      {found && many && (
        <InstanceList
          run={run}
          task={found}
          chosen={selection.state}
          choose={(map) => select({ ...selection, task, map })}
          list={(state) => select({ run: selection.run, task, state })}
        />
      )}
      {tasks.data && found && !many && (
        <InstanceDetail
          key={`${run} ${task} ${selection.map}`}
          run={run}
          task={task}
          map={selection.map ?? -1}
          attempt={selection.try}
          tasks={tasks.data}
          select={(more) => select({ ...selection, task, ...more })}
        />
      )}
    </Drawer>
  );
}

function Title({
  run,
  task,
  map,
  mapped,
  group,
  all,
  items,
}: {
  run: string;
  task: string;
  map: number | undefined;
  mapped: boolean | undefined;
  /** The mapped group that it is in. */
  group: string | undefined;
  all: () => void;
  items: (group: string) => void;
}) {
  const one = Boolean(mapped) && map !== undefined && map >= 0;
  const instance = useQuery({ ...instanceQuery(run, task, map ?? -1), enabled: one });
  if (!one && !group) return task;
  const name = one && instance.data?.rendered_map_index;
  return (
    <span className={styles.title}>
      {task} {one && <code>[{map}]</code>}
      {name && <span className={styles.called}>{name}</span>}
      {one && (
        <Button small look="quiet" onClick={all}>
          All instances
        </Button>
      )}
      {group && (
        <Button small look="quiet" onClick={() => items(group)}>
          Items of {group}
        </Button>
      )}
    </span>
  );
}
