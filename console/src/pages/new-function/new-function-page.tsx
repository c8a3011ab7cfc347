import { Button, Group, NativeSelect, SegmentedControl, Stack, TextInput } from "@mantine/core";
import type { CreateFunction } from "@isola/api/functions";
import { NAME_PATTERN } from "@isola/api/limits";
import { useMutation, useQueryClient } from "@tanstack/react-query";
import { Rocket } from "lucide-react";
import { useState } from "react";
import { useScope } from "../../api/project-scope.ts";
import { BuildOutput } from "../../parts/build-output.tsx";
import { ErrorState } from "../../parts/error-state.tsx";
import { FilesEditor } from "../../parts/files-editor.tsx";
import { PageHeader } from "../../parts/page-header.tsx";
import type { Draft } from "../../settings/draft.ts";
import { MainFields } from "../../settings/main-fields.tsx";
import { type Refusal, standing } from "../../settings/refusal.ts";
import { ScheduleFields } from "../../settings/schedule-fields.tsx";
import { SettingFields } from "../../settings/setting-fields.tsx";
import { Deployed } from "./deployed.tsx";
import { type DroppedPackage, PackageDrop } from "./package-drop.tsx";
import { TemplateChoice } from "./template-choice.tsx";
import type { Template } from "./read-templates.ts";
import { withTemplate, withoutTemplate } from "./template-draft.ts";
import { templates } from "./templates.ts";

/** From nothing to a function that answers. */
export function NewFunctionPage() {
  const [name, setName] = useState("");
  const [source, setSource] = useState<"template" | "package">("template");
  const [template, setTemplate] = useState<Template>(templates[0] as Template);
  const [files, setFiles] = useState(template.files);
  const [dropped, setDropped] = useState<DroppedPackage | null>(null);
  const [language, setLanguage] = useState<"nodejs" | "python">("nodejs");
  const [draft, setDraft] = useState<Draft>(() => withTemplate({}, template));
  const [output, setOutput] = useState<string[]>([]);
  const { api } = useScope();
  const client = useQueryClient();
  const isNamed = new RegExp(NAME_PATTERN).test(name);
  const deploy = useMutation({
    mutationFn: (body: CreateFunction) => {
      setOutput([]);
      const onOutput = (line: string) => setOutput((before) => [...before.slice(-999), line]);
      return api.createFunction(body, { onOutput });
    },
    onSuccess: () => client.invalidateQueries({ queryKey: ["functions", "list"] }),
  });
  const refusal: Refusal | null = deploy.isError
    ? { error: deploy.error, sent: deploy.variables }
    : null;
  const choose = (next: Template) => {
    setTemplate(next);
    setFiles(next.files);
    setDraft((before) => withTemplate(withoutTemplate(before, template), next));
  };
  const chooseSource = (next: typeof source) => {
    setSource(next);
    setDraft((before) => (next === "template" ? withTemplate : withoutTemplate)(before, template));
  };
  const code = source === "template" ? { files } : (dropped?.code ?? null);
  const runtime = source === "template" ? template.settings.runtime : language;
  const body = { name, runtime, ...draft, code } as CreateFunction;
  const problem = standing(refusal, body);
  const onChange = (change: Draft) => setDraft((before) => ({ ...before, ...change }));
  if (deploy.isSuccess)
    return <Deployed fn={deploy.data} first={source === "template" ? template.try : undefined} />;
  return (
    <form
      onSubmit={(event) => {
        event.preventDefault();
        if (code !== null && isNamed) deploy.mutate(body);
      }}
    >
      <PageHeader title="New function" text="A template to begin with, or a package of yours" />
      <Stack maw={1100}>
        <TextInput
          label="Name"
          description="Lower-case letters, digits and -. Its address is /name"
          value={name}
          onChange={(event) => setName(event.currentTarget.value)}
          error={
            name === "" || isNamed
              ? null
              : "expected lower-case letters, digits and -, a letter first, 63 at most"
          }
          maw={400}
          data-autofocus
          required
        />
        <SegmentedControl
          aria-label="Where the code comes from"
          value={source}
          onChange={(next) => chooseSource(next as typeof source)}
          data={[
            { value: "template", label: "Template" },
            { value: "package", label: "Folder or zip" },
          ]}
          maw={400}
        />
        {source === "template" ? (
          <>
            <TemplateChoice chosen={template} onChoose={choose} />
            <FilesEditor key={template.id} files={files} onChange={setFiles} />
          </>
        ) : (
          <PackageDrop
            dropped={dropped}
            onDrop={(next) => {
              setDropped(next);
              setLanguage(next?.runtime ?? language);
              setDraft((before) => ({ ...before, handler: undefined }));
            }}
          />
        )}
        {source === "package" && (
          <NativeSelect
            label="Language"
            data={[
              { value: "nodejs", label: "JavaScript, TypeScript" },
              { value: "python", label: "Python" },
            ]}
            value={language}
            onChange={(event) => setLanguage(event.currentTarget.value as typeof language)}
            maw={400}
          />
        )}
        <MainFields key={`${source} ${template.id}`} draft={draft} onChange={onChange} />
        <ScheduleFields
          key={`schedules ${source} ${template.id}`}
          draft={draft}
          refusal={refusal}
          onChange={onChange}
        />
        <details>
          <summary>All settings</summary>
          <SettingFields draft={draft} onChange={onChange} />
        </details>
        <BuildOutput lines={output} />
        {problem !== null && <ErrorState error={problem} />}
        <Group>
          <Button
            type="submit"
            leftSection={<Rocket size={16} aria-hidden />}
            loading={deploy.isPending}
            disabled={!isNamed || code === null}
          >
            Deploy
          </Button>
        </Group>
      </Stack>
    </form>
  );
}
