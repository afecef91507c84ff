namespace Grpc.Core;

/// <summary>How a channel is secured, and the credentials of all its calls.</summary>
public abstract class ChannelCredentials
{
    /// <summary>Credentials that another type describes to a configurator.</summary>
    protected ChannelCredentials()
    {
    }

    /// <summary>No transport security.</summary>
    public static ChannelCredentials Insecure { get; } = new InsecureCredentials();

    /// <summary>TLS with the system's certificates.</summary>
    public static ChannelCredentials SecureSsl { get; } = new SslCredentials();

    /// <summary>A secured channel whose calls all carry the same credentials.</summary>
    /// <param name="channelCredentials">The transport security.</param>
    /// <param name="callCredentials">The credentials of each call.</param>
    public static ChannelCredentials Create(ChannelCredentials channelCredentials, CallCredentials callCredentials) =>
        new CompositeChannelCredentials(channelCredentials, callCredentials);

    /// <summary>Describes these credentials to a channel.</summary>
    /// <param name="configurator">Takes the description.</param>
    /// <param name="state">Handed through.</param>
    public abstract void InternalPopulateConfiguration(ChannelCredentialsConfiguratorBase configurator, object? state);

    /// <summary>Whether call credentials may be added by <see cref="Create"/>.</summary>
    internal virtual bool IsComposable => false;

    private sealed class InsecureCredentials : ChannelCredentials
    {
        // Composing is allowed; the channel refuses to send the credentials in the clear unless told otherwise.
        internal override bool IsComposable => true;

        public override void InternalPopulateConfiguration(ChannelCredentialsConfiguratorBase configurator, object? state) =>
            configurator.SetInsecureCredentials(state);
    }

    private sealed class CompositeChannelCredentials : ChannelCredentials
    {
        private readonly ChannelCredentials _channel;
        private readonly CallCredentials _call;

        public CompositeChannelCredentials(ChannelCredentials channelCredentials, CallCredentials callCredentials)
        {
            ArgumentNullException.ThrowIfNull(channelCredentials);
            ArgumentNullException.ThrowIfNull(callCredentials);
            if (!channelCredentials.IsComposable)
            {
                throw new ArgumentException("These channel credentials cannot take call credentials.", nameof(channelCredentials));
            }

            _channel = channelCredentials;
            _call = callCredentials;
        }

        public override void InternalPopulateConfiguration(ChannelCredentialsConfiguratorBase configurator, object? state) =>
            configurator.SetCompositeCredentials(state, _channel, _call);
    }
}

/// <summary>TLS with the system's certificates. Client certificates and own roots are set on the channel's HTTP handler.</summary>
public sealed class SslCredentials : ChannelCredentials
{
    internal override bool IsComposable => true;

    /// <inheritdoc/>
    public override void InternalPopulateConfiguration(ChannelCredentialsConfiguratorBase configurator, object? state)
    {
        ArgumentNullException.ThrowIfNull(configurator);
        configurator.SetSslCredentials(state);
    }
}

/// <summary>Takes the description of <see cref="ChannelCredentials"/>.</summary>
public abstract class ChannelCredentialsConfiguratorBase
{
    /// <summary>There is no transport security.</summary>
    /// <param name="state">Handed through.</param>
    public abstract void SetInsecureCredentials(object? state);

    /// <summary>The transport is TLS.</summary>
    /// <param name="state">Handed through.</param>
    public abstract void SetSslCredentials(object? state);

    /// <summary>Each call carries credentials.</summary>
    /// <param name="state">Handed through.</param>
    /// <param name="channelCredentials">The transport security.</param>
    /// <param name="callCredentials">The credentials of each call.</param>
    public abstract void SetCompositeCredentials(object? state, ChannelCredentials channelCredentials, CallCredentials callCredentials);
}
