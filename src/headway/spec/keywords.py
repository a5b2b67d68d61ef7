"""The words of JSON Schema that a parameter may use."""

from typing import Final

TYPES: Final = ("string", "integer", "number", "boolean", "array", "object", "null")
ONE: Final = ("items", "contains", "additionalProperties", "propertyNames", "not", "if", "then", "else")  # fmt: skip
SEVERAL: Final = ("prefixItems", "allOf", "anyOf", "oneOf")
NAMED: Final = ("properties", "dependentSchemas")
COMPARED: Final = (
    "type", "enum", "const", "format", "pattern", "minLength", "maxLength",
    "minimum", "maximum", "exclusiveMinimum", "exclusiveMaximum", "multipleOf",
    "minItems", "maxItems", "uniqueItems", "minContains", "maxContains",
    "required", "dependentRequired", "minProperties", "maxProperties",
)  # fmt: skip
TOLD: Final = (
    "title", "description", "default", "examples", "deprecated", "readOnly", "writeOnly", "$comment",
)  # fmt: skip
CHECKED: Final = (*COMPARED, *ONE, *SEVERAL, *NAMED)
KEYWORDS: Final = (*CHECKED, *TOLD)
INSTEAD: Final = {
    "$ref": "write out what it refers to",
    "patternProperties": "use propertyNames with a pattern, and additionalProperties",
}
FORMATS: Final = ("date", "date-time", "time", "email", "uuid", "ipv4", "ipv6", "multiline")
