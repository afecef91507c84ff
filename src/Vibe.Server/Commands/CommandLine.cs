using System.CommandLine;
using Grpc.Core;
using Vibe.Postgres.Embedded;
using Vibe.Postgres.Sessions;
using Vibe.Server.Hosting;

namespace Vibe.Server.Commands;

/// <summary>Runs a command and says in one sentence why it could not.</summary>
internal static class CommandLine
{
    // As the shell does it: wrong usage is 2, any other refusal is 1, an interruption 130.
    private const int Refused = 1;
    private const int Interrupted = 130;

    /// <summary>Parses and runs.</summary>
    /// <returns>The exit code.</returns>
    public static async Task<int> RunAsync(RootCommand root, string[] arguments)
    {
        var parsed = root.Parse(arguments);
        if (parsed.Errors.Count > 0)
        {
            var path = string.Join(' ', parsed.CommandResult.Command == root ? ["vibe"] : new[] { "vibe", parsed.CommandResult.Command.Name });
            await Console.Error.WriteLineAsync($"vibe: {parsed.Errors[0].Message} Try `{path} --help`.");
            return 2;
        }

        try
        {
            SecretFiles.Load();
            return await parsed.InvokeAsync(new InvocationConfiguration { EnableDefaultExceptionHandler = false, ProcessTerminationTimeout = null });
        }
        catch (Exception exception) when (Explain(exception) is { } sentence)
        {
            await Console.Error.WriteLineAsync($"vibe: {sentence}");
            return Refused;
        }
        catch (OperationCanceledException)
        {
            return Interrupted;
        }
    }

    private static string? Explain(Exception exception) => exception switch
    {
        Refusal or EmbeddedClusterException => exception.Message,
        DatabaseException { Kind: DatabaseErrorKind.ConnectionLost } =>
            "The database cannot be reached: start it, or correct ConnectionStrings__Vibe.",
        // SQLSTATE class 28, and 3D000.
        DatabaseException { SqlState: ['2', '8', ..] } => "The database refuses the login of ConnectionStrings__Vibe: correct its user or password.",
        DatabaseException { SqlState: "3D000" } => "There is no database of the name in ConnectionStrings__Vibe: create it, or correct the name.",
        DatabaseException { Kind: DatabaseErrorKind.InsufficientPrivilege } =>
            "The login of ConnectionStrings__Vibe may not do what the server needs: it has to own the database and may create roles.",
        DatabaseException { Kind: DatabaseErrorKind.TooManyConnections } =>
            "The database has no connection left: stop what uses them, or raise its max_connections.",
        DatabaseException { Kind: DatabaseErrorKind.DiskFull } => "The database's disk is full: free some space and start again.",
        RpcException rpc => $"The server answered {rpc.StatusCode}: {rpc.Status.Detail}",
        _ => null,
    };
}
