using System.Globalization;
using System.Text;
using Google.Protobuf;
using Google.Protobuf.WellKnownTypes;
using Vibe.Apps.V1;
using Vibe.Postgres.Sessions;
using Vibe.Server.Kernel;

namespace Vibe.Server.Apps;

/// <summary>An app as it is stored.</summary>
internal sealed record AppRow
{
    /// <summary>The columns of a row <c>a</c> that <see cref="Read"/> expects, in its order.</summary>
    public static readonly Sql Columns = $"""
        a.did, a.name, a.manifest, a.disable_time is not null, a.verified, coalesce(a.owner_did, ''), a.approved_privileges,
        a.create_time, a.update_time, a.revision
        """;

    private static readonly JsonParser Parser = new(JsonParser.Settings.Default.WithIgnoreUnknownFields(true));

    public required string Did { get; init; }

    public required string Name { get; init; }

    public required AppManifest Manifest { get; init; }

    public bool IsDisabled { get; init; }

    /// <summary>Set to delete it; a deleted app is never read.</summary>
    public bool IsDeleted { get; init; }

    public bool IsVerified { get; init; }

    public string Owner { get; init; } = "";

    public IReadOnlyList<string> ApprovedPrivileges { get; init; } = [];

    public DateTimeOffset CreateTime { get; init; }

    public DateTimeOffset UpdateTime { get; init; }

    public long Revision { get; init; } = 1;

    public string Etag => string.Create(CultureInfo.InvariantCulture, $"r{Revision}");

    /// <summary>Reads a row of <see cref="Columns"/>.</summary>
    public static AppRow Read(Row row) => new()
    {
        Did = row.GetString(0),
        Name = row.GetString(1),
        Manifest = Parser.Parse<AppManifest>(Encoding.UTF8.GetString(row.GetJson(2).Span)),
        IsDisabled = row.GetBoolean(3),
        IsVerified = row.GetBoolean(4),
        Owner = row.GetString(5),
        ApprovedPrivileges = row.GetTextArray(6),
        CreateTime = row.GetTimestamp(7),
        UpdateTime = row.GetTimestamp(8),
        Revision = row.GetInt64(9),
    };

    /// <summary>The stored form of a manifest.</summary>
    public static byte[] JsonOf(AppManifest manifest) => Encoding.UTF8.GetBytes(JsonFormatter.Default.Format(manifest));

    /// <summary>What the caller may do with the app, as far as the row itself tells.</summary>
    public AppPower PowerOf(Caller caller) =>
        caller.Scopes.IsAdmin ? AppPower.Operator
        : Owner.Length > 0 && Owner == caller.Did && caller.Scopes.IsAccount ? AppPower.Owner
        : AppPower.None;

    /// <summary>As the contract shows it to who may do so much.</summary>
    public App ToProto(AppPower power)
    {
        var app = new App
        {
            Did = Did, Name = Name, Manifest = Manifest, Verified = IsVerified, CreateTime = Timestamp.FromDateTimeOffset(CreateTime),
            State = IsDisabled ? AppState.Disabled : AppState.Active,
        };
        if (power != AppPower.None)
        {
            app.Owner = Owner;
            app.ApprovedPrivileges.Add(ApprovedPrivileges);
            app.UpdateTime = Timestamp.FromDateTimeOffset(UpdateTime);
            app.Etag = Etag;
        }

        return app;
    }
}
