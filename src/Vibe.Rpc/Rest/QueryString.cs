namespace Vibe.Rpc.Rest;

/// <summary>Walks through a query string. Unlike the framework's collection it keeps what was sent: order, repetition, bad escapes.</summary>
internal ref struct QueryString(ReadOnlySpan<char> query)
{
    private ReadOnlySpan<char> _rest = query.StartsWith('?') ? query[1..] : query;

    /// <summary>The name as sent.</summary>
    public ReadOnlySpan<char> Name { get; private set; }

    /// <summary>The value as sent; empty also without an equals sign.</summary>
    public ReadOnlySpan<char> Value { get; private set; }

    /// <summary>Goes to the next parameter; empty ones are passed over.</summary>
    public bool MoveNext()
    {
        while (!_rest.IsEmpty)
        {
            var end = _rest.IndexOf('&');
            var pair = end < 0 ? _rest : _rest[..end];
            _rest = end < 0 ? default : _rest[(end + 1)..];
            if (pair.IsEmpty)
            {
                continue;
            }

            var equals = pair.IndexOf('=');
            Name = equals < 0 ? pair : pair[..equals];
            Value = equals < 0 ? default : pair[(equals + 1)..];
            return true;
        }

        return false;
    }
}
