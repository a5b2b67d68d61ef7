/** The connection types that the form knows, with the names that their fields have there. Any other type can be typed. */

export type FieldName = "host" | "port" | "schema" | "login" | "password";

export interface Kind {
  label: string;
  fields: Partial<Record<FieldName, string>>;
  /** Where the type usually listens. */
  port?: number;
  /** Extras that this type reads. */
  extras?: string;
}

const DATABASE = {
  host: "Host",
  port: "Port",
  schema: "Database",
  login: "User name",
  password: "Password",
};
const LOGIN = { host: "Host", port: "Port", login: "User name", password: "Password" };

export const KINDS: Readonly<Record<string, Kind>> = {
  aws: {
    label: "Amazon Web Services",
    fields: { login: "Access key ID", password: "Secret access key" },
    extras: "region_name, role_arn, endpoint_url",
  },
  azure_data_factory: {
    label: "Azure",
    fields: { login: "Client ID", password: "Client secret" },
    extras: "tenantId, subscriptionId",
  },
  google_cloud_platform: { label: "Google Cloud", fields: {}, extras: "project, keyfile_dict" },
  http: {
    label: "HTTP",
    fields: {
      host: "Base URL or host",
      port: "Port",
      schema: "Scheme",
      login: "User name",
      password: "Password",
    },
    port: 443,
    extras: "headers of each request, such as Authorization",
  },
  mssql: { label: "Microsoft SQL Server", fields: DATABASE, port: 1433 },
  mysql: { label: "MySQL", fields: DATABASE, port: 3306, extras: "charset, ssl" },
  postgres: { label: "PostgreSQL", fields: DATABASE, port: 5432, extras: "sslmode, options" },
  redis: {
    label: "Redis",
    fields: { host: "Host", port: "Port", login: "User name", password: "Password" },
    port: 6379,
    extras: "db, ssl",
  },
  sftp: { label: "SFTP", fields: LOGIN, port: 22, extras: "private_key, host_key" },
  smtp: { label: "SMTP", fields: LOGIN, port: 587, extras: "from_email, disable_tls" },
  snowflake: {
    label: "Snowflake",
    fields: { schema: "Schema", login: "User name", password: "Password" },
    extras: "account, warehouse, database, role",
  },
  ssh: { label: "SSH", fields: LOGIN, port: 22, extras: "private_key, host_key" },
};

const ANY: Kind = {
  label: "Other",
  fields: {
    host: "Host",
    port: "Port",
    schema: "Schema",
    login: "Login",
    password: "Password",
  },
};

export function kindOf(type: string): Kind {
  return KINDS[type] ?? ANY;
}
