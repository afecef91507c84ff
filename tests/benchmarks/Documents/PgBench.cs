using System.Collections.Immutable;
using System.Globalization;
using System.Text;
using System.Text.RegularExpressions;
using Npgsql;
using NpgsqlTypes;
using Vibe.Benchmarks.Measuring;
using Vibe.Postgres.Embedded;
using Vibe.Postgres.Sessions;
using Vibe.Server.Documents;
using Vibe.Server.Documents.Queries;
using Vibe.Server.Kernel;

namespace Vibe.Benchmarks.Documents;

/// <summary>
/// The limit: <c>pgbench -M prepared</c> with the SQL that the server sends, as the same role, with the same context and
/// settings in the same round trip. The texts of writes and lists come from the server's own compilers; those of get and
/// search say the same by hand, and search leaves out the server's question whether there is an index.
/// </summary>
internal sealed partial class PgBench(string socketDirectory, Caller caller, ImmutableArray<IndexedFields> ready)
{
    private static readonly Guid AnyId = new("00000000-0000-7000-8000-000000000001");

    /// <summary>Runs one case.</summary>
    public async Task<DriveResult> RunAsync(DocumentsCase what, IReadOnlyList<string> ids, int clients, TimeSpan duration)
    {
        var folder = BenchOptions.NewFolder();
        var variables = new List<string>();
        var id = what.Operation == Operation.Create
            ? "gen_random_uuid()"
            : $"('{{{string.Join(',', ids)}}}'::uuid[])[:i]";
        var script = Path.Combine(folder, "script.sql");
        await File.WriteAllTextAsync(script, $"""
            \set i random(1, {ids.Count})
            \startpipeline
            {Render(caller.ToRequestContext().ToStatement(), "c", id, variables)};
            {Render(Statement(what), "s", id, variables)};
            \endpipeline

            """);
        // As Vibe.Postgres sets the connections of reading requests.
        var settings = what.Operation is Operation.Create or Operation.Update
            ? "-c default_transaction_read_only=off"
            : "-c default_transaction_read_only=on -c enable_seqscan=off -c enable_bitmapscan=off -c jit=off";
        await ServerProcess.RunAsync(
            "pgbench",
            [
                "-n", "-M", "prepared", "-h", socketDirectory, "-U", Roles.App, $"-c{clients}", "-j2",
                "-T", Math.Ceiling(duration.TotalSeconds).ToString(CultureInfo.InvariantCulture),
                "-f", script, "-l", "--log-prefix", Path.Combine(folder, "log"), .. variables.SelectMany(static variable => (string[])["-D", variable]), EmbeddedCluster.DefaultDatabase,
            ],
            ("PGOPTIONS", settings));
        var latencies = Directory.EnumerateFiles(folder, "log*").SelectMany(File.ReadLines)
            .Select(static line => double.Parse(line.Split(' ')[2], CultureInfo.InvariantCulture)).ToList();
        Directory.Delete(folder, recursive: true);
        return DocumentsDriver.Result(latencies, TimeSpan.FromSeconds(Math.Ceiling(duration.TotalSeconds)));
    }

    private Sql Statement(DocumentsCase what) => what.Operation switch
    {
        Operation.Get => $"select {DocumentRow.Columns} from vibe.documents d where d.id = {AnyId} and d.delete_time is null",
        Operation.Create => WriteStatements.Of(new DocumentWrite
        {
            Kind = WriteKind.Create,
            Id = AnyId,
            HasNewId = true,
            Collection = what.Collection,
            Data = Encoding.UTF8.GetBytes(DocumentsCase.Body),
            Edges = DocumentEdges.None,
        }),
        Operation.Update => WriteStatements.Of(new DocumentWrite
        {
            Kind = WriteKind.Update,
            Id = AnyId,
            Data = Encoding.UTF8.GetBytes(DocumentsCase.Patch(7)),
        }),
        Operation.List => QueryCompiler.Page(Query(what), caller, ready, DocumentRow.Columns, DocumentsCase.PageSize + 1, after: null).Statement,
        _ => SearchStatement(what),
    };

    private static Sql SearchStatement(DocumentsCase what) => $"""
        select {DocumentRow.Columns}, s.rank::float8
        from vibe.search({what.Collection}, {what.Value}) s join vibe.documents d on d.id = s.id
        where d.delete_time is null and d.audience = 2
        order by s.rank::float8 desc, d.id desc limit {DocumentsCase.PageSize + 1}
        """;

    private static DocumentQuery Query(DocumentsCase what) => new()
    {
        Collection = what.Collection,
        Scope = what.Scope,
        Filter = QueryReader.Filter(what.Filter, "filter"),
        Order = QueryReader.Order(what.OrderBy, "orderBy"),
    };

    // $n becomes a variable of pgbench, which it sends as a parameter of the prepared statement; the id changes with every call.
    private static string Render(Sql sql, string prefix, string id, List<string> variables)
    {
        var parameters = new List<NpgsqlParameter>();
        var text = SqlText.Render(sql, parameters);
        for (var i = 0; i < parameters.Count; i++)
        {
            if (parameters[i].Value is not (Guid or DBNull or null or ""))
            {
                variables.Add($"{prefix}{i + 1}={Text(parameters[i].Value!)}");
            }
        }

        return Placeholder.Replace(text, match =>
        {
            var parameter = parameters[int.Parse(match.ValueSpan[1..], CultureInfo.InvariantCulture) - 1];
            return parameter.Value switch
            {
                Guid => id,
                // pgbench has no empty variables.
                "" => "''::text",
                DBNull or null => $"null::{TypeName(parameter.NpgsqlDbType)}",
                _ => $":{prefix}{match.Value[1..]}::{TypeName(parameter.NpgsqlDbType)}",
            };
        });
    }

    private static string Text(object value) => value switch
    {
        ReadOnlyMemory<byte> json => Encoding.UTF8.GetString(json.Span),
        byte[] json => Encoding.UTF8.GetString(json),
        string[] values => "{" + string.Join(',', values.Select(static item => $"\"{item}\"")) + "}",
        _ => string.Create(CultureInfo.InvariantCulture, $"{value}"),
    };

    private static string TypeName(NpgsqlDbType type) => type.HasFlag(NpgsqlDbType.Array)
        ? TypeName(type & ~NpgsqlDbType.Array) + "[]"
        : type switch
        {
            NpgsqlDbType.Double => "float8",
            NpgsqlDbType.TimestampTz => "timestamptz",
            _ => type.ToString().ToLowerInvariant(),
        };

    [GeneratedRegex(@"\$\d+", RegexOptions.NonBacktracking)]
    private static partial Regex Placeholder { get; }
}
