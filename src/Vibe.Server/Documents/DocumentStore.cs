using System.Data;
using Grpc.Core;
using Vibe.Postgres.Sessions;
using Vibe.Server.Kernel;

namespace Vibe.Server.Documents;

/// <summary>Reads and writes documents on behalf of a caller. No caller predicate in the SQL: the row policies supply it.</summary>
internal sealed class DocumentStore(Database database)
{
    // Deadlocks and writes that met: the transaction is gone without a trace, and running it again usually succeeds.
    private const int Attempts = 4;

    /// <summary>One document, or null.</summary>
    public Task<DocumentRow?> FindAsync(Caller caller, Guid id, CancellationToken cancellationToken) => database.QueryFirstAsync(
        caller.ToRequestContext(),
        $"select {DocumentRow.Columns} from vibe.documents d where d.id = {id} and d.delete_time is null",
        static row => DocumentRow.Read(row),
        cancellationToken);

    /// <summary>Those of the documents that there are, in any order.</summary>
    public Task<IReadOnlyList<DocumentRow>> FindAllAsync(
        Caller caller, IReadOnlyList<Guid> ids, RowBudget<DocumentRow>? budget, CancellationToken cancellationToken) => database.QueryAsync(
        caller.ToRequestContext(),
        $"select {DocumentRow.Columns} from vibe.documents d where d.id = any({ids}) and d.delete_time is null",
        static row => DocumentRow.Read(row),
        budget,
        cancellationToken);

    /// <summary>Makes one write and returns the document as stored.</summary>
    /// <exception cref="RpcException">The write is not possible.</exception>
    public async Task<DocumentRow> WriteAsync(Caller caller, DocumentWrite write, WriteRequest? request, CancellationToken cancellationToken)
    {
        for (var attempt = 1; ; attempt++)
        {
            try
            {
                var batch = database.CreateBatch(caller.ToRequestContext(), Access.Write);
                var result = batch.QueryFirst(
                    request is null ? WriteStatements.Of(write) : WriteStatements.Of(write, request),
                    static row => DocumentRow.ReadWritten(row));
                await batch.RunAsync(cancellationToken);
                if (result.Value is { } row)
                {
                    return row;
                }
            }
            catch (DatabaseException exception) when (WriteFailure.IsRefusal(exception))
            {
                throw WriteFailure.Translate(exception, write);
            }
            catch (DatabaseException exception) when (WriteFailure.IsLocked(exception))
            {
                throw DocumentErrors.WriteConflict();
            }
            catch (DatabaseException exception) when (IsLostRace(exception) && attempt < Attempts)
            {
                if (exception.Kind == DatabaseErrorKind.SerializationFailure)
                {
                    continue;
                }
            }

            if (request is not null && await RepeatAsync(caller, request, cancellationToken) is { } repeated)
            {
                return repeated[0];
            }

            var sight = await database.QueryFirstAsync(
                caller.ToRequestContext(), WriteFailure.Statement(write.Id), static row => WriteFailure.Read(row), cancellationToken);
            if (WriteFailure.Explain(write, sight, caller) is { } failure)
            {
                throw failure;
            }

            if (attempt >= Attempts)
            {
                throw DocumentErrors.WriteConflict();
            }
        }
    }

    /// <summary>Makes all the writes, in order, or none.</summary>
    /// <param name="caller">Who writes.</param>
    /// <param name="writes">The writes.</param>
    /// <param name="request">What makes the call safe to repeat, or null.</param>
    /// <param name="keep">False to check everything and write nothing.</param>
    /// <param name="cancellationToken">Cancels; nothing is written then.</param>
    /// <returns>The documents as stored, one for each write.</returns>
    /// <exception cref="RpcException">One of the writes is not possible.</exception>
    public async Task<IReadOnlyList<DocumentRow>> WriteAllAsync(
        Caller caller, IReadOnlyList<DocumentWrite> writes, WriteRequest? request, bool keep, CancellationToken cancellationToken)
    {
        for (var attempt = 1; ; attempt++)
        {
            try
            {
                return await TryWriteAllAsync(caller, writes, request, keep, cancellationToken);
            }
            catch (DatabaseException exception) when (WriteFailure.IsRefusal(exception))
            {
                throw await LocateAsync(caller, writes, cancellationToken) ?? DocumentErrors.WriteConflict();
            }
            catch (DatabaseException exception) when (WriteFailure.IsLocked(exception))
            {
                throw DocumentErrors.WriteConflict();
            }
            catch (DatabaseException exception) when (IsLostRace(exception) && attempt < Attempts)
            {
                // Run the whole again: the request may be recorded by now, or the other writer done.
            }
        }
    }

    private async Task<IReadOnlyList<DocumentRow>> TryWriteAllAsync(
        Caller caller, IReadOnlyList<DocumentWrite> writes, WriteRequest? request, bool keep, CancellationToken cancellationToken)
    {
        await using var transaction = await database.BeginAsync(
            caller.ToRequestContext(), Access.Write, IsolationLevel.ReadCommitted, cancellationToken);
        if (request is not null && keep)
        {
            var record = await transaction.QueryFirstAsync(RequestRecord.Find(request.Id), static row => RequestRecord.Read(row), cancellationToken);
            if (record is not null)
            {
                return await RepeatAsync(caller, request, record, cancellationToken);
            }
        }

        var batch = transaction.CreateBatch();
        var results = writes.Select(write => batch.QueryFirst(WriteStatements.Of(write), static row => DocumentRow.ReadWritten(row))).ToList();
        await batch.RunAsync(cancellationToken);
        for (var i = 0; i < results.Count; i++)
        {
            if (results[i].Value is null)
            {
                var sight = await transaction.QueryFirstAsync(
                    WriteFailure.Statement(writes[i].Id), static row => WriteFailure.Read(row), cancellationToken);
                throw WriteFailure.Explain(writes[i], sight, caller) ?? DocumentErrors.WriteConflict();
            }
        }

        List<DocumentRow> rows = [.. results.Select(static result => result.Value!)];
        if (!keep)
        {
            return [.. rows.Select(static row => row with { Transaction = 0 })];
        }

        if (request is not null)
        {
            await transaction.ExecuteAsync(RequestRecord.Insert(request, rows), cancellationToken);
        }

        await transaction.CommitAsync(cancellationToken);
        return rows;
    }

    // The guard triggers refuse without saying which statement of a batch they refused: run them one by one, keeping nothing.
    private async Task<RpcException?> LocateAsync(Caller caller, IReadOnlyList<DocumentWrite> writes, CancellationToken cancellationToken)
    {
        await using var transaction = await database.BeginAsync(
            caller.ToRequestContext(), Access.Write, IsolationLevel.ReadCommitted, cancellationToken);
        foreach (var write in writes)
        {
            try
            {
                await transaction.QueryFirstAsync(WriteStatements.Of(write), static row => DocumentRow.ReadWritten(row), cancellationToken);
            }
            catch (DatabaseException exception) when (WriteFailure.IsRefusal(exception))
            {
                return WriteFailure.Translate(exception, write);
            }
        }

        return null;
    }

    private async Task<IReadOnlyList<DocumentRow>?> RepeatAsync(Caller caller, WriteRequest request, CancellationToken cancellationToken)
    {
        var record = await database.QueryFirstAsync(
            caller.ToRequestContext(), RequestRecord.Find(request.Id), static row => RequestRecord.Read(row), cancellationToken);
        return record is null ? null : await RepeatAsync(caller, request, record, cancellationToken);
    }

    // The documents as they are now: the client asks again because it does not know whether its write arrived.
    private async Task<IReadOnlyList<DocumentRow>> RepeatAsync(
        Caller caller, WriteRequest request, RequestRecord record, CancellationToken cancellationToken)
    {
        if (!record.Fingerprint.AsSpan().SequenceEqual(request.Fingerprint.Span))
        {
            throw DocumentErrors.RequestIdReused(request.Id);
        }

        var rows = await database.QueryAsync(
            caller.ToRequestContext(),
            $"select {DocumentRow.Columns} from vibe.documents d where d.id = any({record.DocumentIds})",
            static row => DocumentRow.Read(row),
            cancellationToken);
        var byId = rows.ToDictionary(static row => row.Id);
        return [.. record.DocumentIds.Select(id => byId.TryGetValue(id, out var row) ? row with { Transaction = record.Transaction } : throw DocumentErrors.NotFound(id))];
    }

    private static bool IsLostRace(DatabaseException exception) => exception is
        { Kind: DatabaseErrorKind.SerializationFailure or DatabaseErrorKind.InsufficientPrivilege }
        or { Kind: DatabaseErrorKind.UniqueViolation, Constraint: RequestRecord.UniqueConstraint or "documents_pkey" };
}
