// Derives the server's contract from the public one: every singular google.protobuf.Struct field of a message in a
// package that starts with the given prefix becomes `optional bytes`. Both forms are the same on the wire; the server
// holds the body as bytes and transcodes it to and from JSON without building a tree (docs/decisions/0002-wire-twin.md).
//
// usage: node wire-twin.mjs PACKAGE_PREFIX < public.binpb > twin.binpb      (both are FileDescriptorSets)
import { readFileSync, writeSync } from "node:fs";
import { createRequire } from "node:module";
import { pathToFileURL } from "node:url";

const fromSdk = createRequire(new URL("../sdks/typescript/package.json", import.meta.url));
const load = (name) => import(pathToFileURL(fromSdk.resolve(name)).href);
const { fromBinary, toBinary, create, isFieldSet, clearField } = await load("@bufbuild/protobuf");
const { FileDescriptorSetSchema, FieldDescriptorProtoSchema, FieldDescriptorProto_Type, FieldDescriptorProto_Label,
  OneofDescriptorProtoSchema } = await load("@bufbuild/protobuf/wkt");

const prefix = process.argv[2];
const set = fromBinary(FileDescriptorSetSchema, readFileSync(0));
for (const file of set.file) {
  if (`${file.package}.`.startsWith(prefix)) file.messageType.forEach(rewrite);
}
writeSync(1, toBinary(FileDescriptorSetSchema, set));

function rewrite(message) {
  message.nestedType.filter((nested) => !nested.options?.mapEntry).forEach(rewrite);
  for (const field of message.field) {
    if (field.typeName !== ".google.protobuf.Struct" || field.label === FieldDescriptorProto_Label.REPEATED) continue;
    field.type = FieldDescriptorProto_Type.BYTES;
    clearField(field, FieldDescriptorProtoSchema.field.typeName);
    // A plain bytes field would lose an empty Struct: absent and empty differ. A member of a oneof has presence already.
    if (isFieldSet(field, FieldDescriptorProtoSchema.field.oneofIndex)) continue;
    field.proto3Optional = true;
    field.oneofIndex = message.oneofDecl.length;
    message.oneofDecl.push(create(OneofDescriptorProtoSchema, { name: `_${field.name}` }));
  }
}
