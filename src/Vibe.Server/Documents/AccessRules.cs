using System.Buffers;
using System.Text.Json;
using Google.Protobuf.Collections;
using Vibe.Documents.V1;
using Vibe.Server.Kernel;

namespace Vibe.Server.Documents;

/// <summary>
/// Access rules between the contract and the stored JSON,
/// <c>{"read":{"allow":[…],"deny":[…]},"write":{…}}</c> without what is empty.
/// </summary>
internal static class AccessRules
{
    /// <summary>Nobody but the owner.</summary>
    public static readonly ReadOnlyMemory<byte> OwnerOnly = "{}"u8.ToArray();

    private const int MaxPrincipals = 100;

    /// <summary>Checks the rules and writes the stored form; principals given twice count once.</summary>
    /// <exception cref="Grpc.Core.RpcException">INVALID_ARGUMENT.</exception>
    public static ReadOnlyMemory<byte> ToJson(AccessControl rules, string field)
    {
        Check(rules.Read, $"{field}.read", everyone: true);
        Check(rules.Write, $"{field}.write", everyone: false);
        var buffer = new ArrayBufferWriter<byte>();
        using (var writer = new Utf8JsonWriter(buffer))
        {
            writer.WriteStartObject();
            Write(writer, "read"u8, rules.Read);
            Write(writer, "write"u8, rules.Write);
            writer.WriteEndObject();
        }

        return buffer.WrittenMemory;
    }

    /// <summary>Reads the stored form; null when nobody is let in or kept out.</summary>
    public static AccessControl? FromJson(ReadOnlyMemory<byte> json)
    {
        if (json.Length <= OwnerOnly.Length)
        {
            return null;
        }

        using var document = JsonDocument.Parse(json);
        return new AccessControl { Read = ReadRule(document.RootElement, "read"u8), Write = ReadRule(document.RootElement, "write"u8) };
    }

    private static void Check(AccessRule? rule, string field, bool everyone)
    {
        if (rule is null)
        {
            return;
        }

        Check(rule.Allow, $"{field}.allow", principal => Principal.IsNamed(principal)
            || principal == PrincipalName.Users || (everyone && principal == PrincipalName.Everyone));
        Check(rule.Deny, $"{field}.deny", Principal.IsNamed);
    }

    private static void Check(RepeatedField<string> principals, string field, Predicate<string> isAllowed)
    {
        if (principals.Count > MaxPrincipals)
        {
            throw VibeError.InvalidField(field, $"names at most {MaxPrincipals} principals", "document.acl");
        }

        for (var i = 0; i < principals.Count; i++)
        {
            if (!isAllowed(principals[i]))
            {
                var why = Principal.IsGroup(principals[i])
                    ? $"`{principals[i]}` cannot stand here"
                    : "is not a principal: a DID, `cert:<issuer DID>#<type>`, `users` or `*`";
                throw VibeError.InvalidField(FieldNames.Item(field, i), why, "document.acl");
            }
        }
    }

    private static void Write(Utf8JsonWriter writer, ReadOnlySpan<byte> name, AccessRule? rule)
    {
        if (rule is null or { Allow.Count: 0, Deny.Count: 0 })
        {
            return;
        }

        writer.WriteStartObject(name);
        Write(writer, "allow"u8, rule.Allow);
        Write(writer, "deny"u8, rule.Deny);
        writer.WriteEndObject();
    }

    private static void Write(Utf8JsonWriter writer, ReadOnlySpan<byte> name, RepeatedField<string> principals)
    {
        if (principals.Count == 0)
        {
            return;
        }

        writer.WriteStartArray(name);
        foreach (var principal in principals.Distinct(StringComparer.Ordinal))
        {
            writer.WriteStringValue(principal);
        }

        writer.WriteEndArray();
    }

    private static AccessRule? ReadRule(JsonElement acl, ReadOnlySpan<byte> name)
    {
        if (!acl.TryGetProperty(name, out var rule))
        {
            return null;
        }

        var result = new AccessRule();
        Read(rule, "allow"u8, result.Allow);
        Read(rule, "deny"u8, result.Deny);
        return result;
    }

    private static void Read(JsonElement rule, ReadOnlySpan<byte> name, RepeatedField<string> into)
    {
        if (rule.TryGetProperty(name, out var list))
        {
            foreach (var principal in list.EnumerateArray())
            {
                into.Add(principal.GetString()!);
            }
        }
    }
}
