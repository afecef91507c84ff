using Grpc.Core;
using Grpc.Net.Client;

namespace Vibe.Rpc.Client;

/// <summary>Checks that credentials fit the channel, and takes them apart.</summary>
internal static class ChannelSecurity
{
    /// <summary>The credentials of every call of the channel.</summary>
    /// <exception cref="InvalidOperationException">The credentials contradict the address.</exception>
    public static IReadOnlyList<AsyncAuthInterceptor> Check(GrpcChannel channel, ChannelCredentials? credentials)
    {
        if (credentials is null)
        {
            return [];
        }

        var parts = new ChannelParts();
        credentials.InternalPopulateConfiguration(parts, null);
        if (parts.IsSecure != channel.IsSecure)
        {
            throw new InvalidOperationException(parts.IsSecure
                ? $"The credentials need TLS, and {channel.Address} has none: use an https address."
                : $"The credentials are insecure, and {channel.Address} uses TLS: use ChannelCredentials.SecureSsl.");
        }

        var interceptors = new CallParts();
        foreach (var call in parts.CallCredentials)
        {
            call.InternalPopulateConfiguration(interceptors, null);
        }

        ThrowIfExposed(channel, interceptors.Interceptors.Count > 0);
        return interceptors.Interceptors;
    }

    /// <summary>The channel's credentials followed by the call's own.</summary>
    /// <exception cref="InvalidOperationException">They would be sent without TLS.</exception>
    public static IReadOnlyList<AsyncAuthInterceptor> Combine(GrpcChannel channel, CallCredentials? callCredentials)
    {
        if (callCredentials is null)
        {
            return channel.CallCredentials;
        }

        ThrowIfExposed(channel, true);
        var parts = new CallParts();
        parts.Interceptors.AddRange(channel.CallCredentials);
        callCredentials.InternalPopulateConfiguration(parts, null);
        return parts.Interceptors;
    }

    private static void ThrowIfExposed(GrpcChannel channel, bool hasCallCredentials)
    {
        if (hasCallCredentials && !channel.IsSecure && !channel.Options.UnsafeUseInsecureChannelCallCredentials)
        {
            throw new InvalidOperationException(
                "Call credentials would travel without TLS, readable for anyone on the way. Use an https address, or set "
                + nameof(GrpcChannelOptions.UnsafeUseInsecureChannelCallCredentials) + " where that is no risk.");
        }
    }

    private sealed class ChannelParts : ChannelCredentialsConfiguratorBase
    {
        public bool IsSecure { get; private set; }

        public List<CallCredentials> CallCredentials { get; } = [];

        public override void SetInsecureCredentials(object? state) => IsSecure = false;

        public override void SetSslCredentials(object? state) => IsSecure = true;

        public override void SetCompositeCredentials(object? state, ChannelCredentials channelCredentials, CallCredentials callCredentials)
        {
            channelCredentials.InternalPopulateConfiguration(this, null);
            CallCredentials.Add(callCredentials);
        }
    }

    private sealed class CallParts : CallCredentialsConfiguratorBase
    {
        public List<AsyncAuthInterceptor> Interceptors { get; } = [];

        public override void SetCompositeCredentials(object? state, IReadOnlyList<CallCredentials> credentials)
        {
            foreach (var part in credentials)
            {
                part.InternalPopulateConfiguration(this, null);
            }
        }

        public override void SetAsyncAuthInterceptorCredentials(object? state, AsyncAuthInterceptor interceptor) =>
            Interceptors.Add(interceptor);
    }
}
