using System.Collections;
using Microsoft.AspNetCore.Hosting.Server.Features;

namespace Vibe.Rpc.Listener;

/// <summary>The server's addresses without repetition: the two end points of a shared port have the same one.</summary>
internal sealed class DistinctServerAddresses(IServerAddressesFeature inner) : IServerAddressesFeature, ICollection<string>
{
    public ICollection<string> Addresses => this;

    public bool PreferHostingUrls { get => inner.PreferHostingUrls; set => inner.PreferHostingUrls = value; }

    public int Count => Distinct().Count();

    public bool IsReadOnly => inner.Addresses.IsReadOnly;

    public void Add(string item) => inner.Addresses.Add(item);

    public void Clear() => inner.Addresses.Clear();

    public bool Contains(string item) => inner.Addresses.Contains(item);

    public void CopyTo(string[] array, int arrayIndex) => Distinct().ToArray().CopyTo(array, arrayIndex);

    public bool Remove(string item) => inner.Addresses.Remove(item);

    public IEnumerator<string> GetEnumerator() => Distinct().GetEnumerator();

    IEnumerator IEnumerable.GetEnumerator() => GetEnumerator();

    private IEnumerable<string> Distinct() => inner.Addresses.Distinct(StringComparer.Ordinal);
}
