using System.Linq.Expressions;
using System.Runtime.CompilerServices;
using Grpc.Core;
using Vibe.Client.Documents;
using Vibe.Client.Filters;
using Vibe.Client.Live;
using Vibe.Documents.V1;

namespace Vibe.Client;

/// <summary>Which documents, in which order. Each method gives a new query; a query is immutable and thread-safe.</summary>
/// <typeparam name="T">What their bodies are.</typeparam>
public class Query<T>
    where T : class
{
    private readonly QuerySpec _spec;

    internal Query(VibeClient client, QuerySpec spec) => (Client, _spec) = (client, spec);

    internal VibeClient Client { get; }

    internal QuerySpec Spec => _spec;

    /// <summary>Only documents that fulfil the condition, and those before.</summary>
    /// <param name="condition">
    /// A condition on the body: comparisons, <c>&amp;&amp;</c>, <c>||</c>, <c>!</c>, <c>StartsWith</c>, <c>list.Contains(n.State)</c>,
    /// <c>n.Tags.Contains("new")</c>, and the functions of <see cref="VibeFilter"/>. It is asked of what is stored: a field that is absent equals
    /// only null.
    /// </param>
    /// <exception cref="NotSupportedException">A part of it cannot be said to the server.</exception>
    public Query<T> Where(Expression<Func<T, bool>> condition) => Where(new FilterTranslator(Client.Json).Translate(condition));

    /// <summary>Only documents that fulfil the condition, and those before.</summary>
    /// <param name="condition">A condition on the body and on the document around it: <c>(n, d) => d.CreateTime &gt; yesterday</c>.</param>
    /// <exception cref="NotSupportedException">A part of it cannot be said to the server.</exception>
    public Query<T> Where(Expression<Func<T, Document<T>, bool>> condition) => Where(new FilterTranslator(Client.Json).Translate(condition));

    /// <summary>Only documents that fulfil the condition, and those before.</summary>
    /// <param name="condition">A condition in text form, as <c>vibe.documents.v1.Filter</c> describes it: <c>data.done != true</c>.</param>
    public Query<T> Where(string condition)
    {
        ArgumentException.ThrowIfNullOrEmpty(condition);
        return Where(FilterNode.Text(condition));
    }

    /// <summary>Smallest first, in place of the order so far. Without an order the newest come first.</summary>
    /// <param name="field">A field of the body.</param>
    public Query<T> OrderBy(Expression<Func<T, object?>> field) => Order([], field, descending: false);

    /// <summary>Smallest first, in place of the order so far.</summary>
    /// <param name="field">A field of the body or of the document around it: <c>(n, d) => d.CreateTime</c>.</param>
    public Query<T> OrderBy(Expression<Func<T, Document<T>, object?>> field) => Order([], field, descending: false);

    /// <summary>Largest first, in place of the order so far.</summary>
    /// <param name="field">A field of the body.</param>
    public Query<T> OrderByDescending(Expression<Func<T, object?>> field) => Order([], field, descending: true);

    /// <summary>Largest first, in place of the order so far.</summary>
    /// <param name="field">A field of the body or of the document around it.</param>
    public Query<T> OrderByDescending(Expression<Func<T, Document<T>, object?>> field) => Order([], field, descending: true);

    /// <summary>Among documents that are equal so far, smallest first. At most 5 keys in all.</summary>
    /// <param name="field">A field of the body.</param>
    public Query<T> ThenBy(Expression<Func<T, object?>> field) => Order(_spec.Order, field, descending: false);

    /// <summary>Among documents that are equal so far, largest first. At most 5 keys in all.</summary>
    /// <param name="field">A field of the body.</param>
    public Query<T> ThenByDescending(Expression<Func<T, object?>> field) => Order(_spec.Order, field, descending: true);

    /// <summary>At most so many: the size of a page, and of a live query that keeps to the first ones (up to 1,000).</summary>
    /// <param name="count">More than 0.</param>
    public Query<T> Take(int count)
    {
        ArgumentOutOfRangeException.ThrowIfNegativeOrZero(count);
        return new(Client, _spec with { Limit = count });
    }

    /// <summary>Whose documents. Default: the caller's own; for a signed-out visitor what is public.</summary>
    /// <param name="scope">Whose.</param>
    public Query<T> Scope(DocumentScope scope) => new(Client, _spec with { Scope = scope });

    /// <summary>All documents that the caller may read, other people's too.</summary>
    public Query<T> Global() => Scope(DocumentScope.All);

    /// <summary>Brings linked documents along, into <see cref="Document{T}.Related"/>; not in live queries.</summary>
    /// <param name="paths">Edges to follow: <c>author</c>, <c>~comment_on</c>, <c>~comment_on.author</c>. At most 10, of 3 hops.</param>
    public Query<T> Expand(params IEnumerable<string> paths) => new(Client, _spec with { Expand = [.. _spec.Expand, .. paths] });

    /// <summary>A page, as the server has it now; what this client wrote is part of it.</summary>
    /// <param name="pageToken"><see cref="Page{T}.NextPageToken"/> of the page before, with all else unchanged; null for the first.</param>
    /// <param name="cancellationToken">Cancels the call.</param>
    public async Task<Page<T>> ReadOnceAsync(string? pageToken = null, CancellationToken cancellationToken = default)
    {
        var answer = await Client.Documents.ListDocumentsAsync(
            new()
            {
                Collection = _spec.Collection, Scope = _spec.Scope, Filter = _spec.FilterText, OrderBy = _spec.OrderText, PageSize = _spec.Limit,
                PageToken = pageToken ?? "", Expand = { _spec.Expand },
            },
            new CallOptions(cancellationToken: cancellationToken)).ConfigureAwait(false);
        return PageOf(answer.Documents, answer.NextPageToken);
    }

    /// <summary>
    /// All documents, page by page as they are asked for; <see cref="Take"/> sets the size of a page. What was there throughout comes exactly
    /// once.
    /// </summary>
    /// <param name="cancellationToken">Ends it.</param>
    public async IAsyncEnumerable<Document<T>> ReadAllAsync([EnumeratorCancellation] CancellationToken cancellationToken = default)
    {
        string? pageToken = null;
        do
        {
            var page = await ReadOnceAsync(pageToken, cancellationToken).ConfigureAwait(false);
            foreach (var document in page.Documents)
            {
                yield return document;
            }

            pageToken = page.NextPageToken;
        }
        while (pageToken.Length > 0);
    }

    /// <summary>How many there are; the server looks at no more than 100,000.</summary>
    /// <param name="cancellationToken">Cancels the call.</param>
    public async Task<long> CountAsync(CancellationToken cancellationToken = default)
    {
        var answer = await Client.Documents.AggregateDocumentsAsync(
            new()
            {
                Collection = _spec.Collection, Scope = _spec.Scope, Filter = new Filter { Text = _spec.Filter.ToString() },
                Aggregations = { new Aggregation { Alias = "count", Function = Aggregation.Types.Function.Count } },
            },
            new CallOptions(cancellationToken: cancellationToken)).ConfigureAwait(false);
        return (long)answer.Values["count"].NumberValue;
    }

    /// <summary>A page of the documents whose text matches, best first. Needs a text index on the collection, else TEXT_INDEX_REQUIRED.</summary>
    /// <param name="words">Words; <c>"a phrase"</c>, <c>or</c> and <c>-not</c> as in web search engines.</param>
    /// <param name="pageToken"><see cref="Page{T}.NextPageToken"/> of the page before; null for the first.</param>
    /// <param name="cancellationToken">Cancels the call.</param>
    public async Task<Page<T>> SearchAsync(string words, string? pageToken = null, CancellationToken cancellationToken = default)
    {
        var answer = await Client.Documents.SearchDocumentsAsync(
            new()
            {
                Collection = _spec.Collection, Query = words, Scope = _spec.Scope, Filter = _spec.FilterText, PageSize = _spec.Limit,
                PageToken = pageToken ?? "",
            },
            new CallOptions(cancellationToken: cancellationToken)).ConfigureAwait(false);
        return PageOf(answer.Documents, answer.NextPageToken);
    }

    /// <summary>
    /// Follows the query: every later commit that concerns it, in order, without a gap, through restarts of the server and losses of the
    /// connection. With <see cref="SubscribeOptions.Initial"/> what matches now comes first.
    /// </summary>
    /// <param name="cancellationToken">Ends it.</param>
    /// <returns>The changes, to be read once; it also tells the cursor to go on from later.</returns>
    public Subscription<T> SubscribeAsync(CancellationToken cancellationToken = default) => SubscribeAsync(SubscribeOptions.Default, cancellationToken);

    /// <inheritdoc cref="SubscribeAsync(CancellationToken)"/>
    /// <param name="options">Where it begins.</param>
    /// <param name="cancellationToken">Ends it.</param>
    public Subscription<T> SubscribeAsync(SubscribeOptions options, CancellationToken cancellationToken = default)
    {
        ArgumentNullException.ThrowIfNull(options);
        return new(Client, _spec, options, cancellationToken);
    }

    /// <summary>
    /// Follows the query as a list: what matches now, in order, and then again after every change. Through restarts of the server and losses of
    /// the connection.
    /// </summary>
    /// <param name="cancellationToken">Ends it.</param>
    public IAsyncEnumerable<LiveResult<T>> LiveAsync(CancellationToken cancellationToken = default) =>
        new LiveResults<T>(Client, _spec).ReadAsync(cancellationToken);

    private Query<T> Where(FilterNode condition) => new(Client, _spec with { Filter = FilterNode.All([_spec.Filter, condition]) });

    private Query<T> Order(IReadOnlyList<OrderKey> before, LambdaExpression field, bool descending) =>
        new(Client, _spec with { Order = [.. before, new OrderKey(new FilterTranslator(Client.Json).TranslateField(field), descending)] });

    private Page<T> PageOf(IEnumerable<Document> documents, string nextPageToken) =>
        new([.. documents.Select(document => new Document<T>(document, Client.Json))], nextPageToken);
}
