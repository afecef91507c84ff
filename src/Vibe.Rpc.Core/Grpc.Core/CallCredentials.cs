namespace Grpc.Core;

/// <summary>Adds metadata that proves who the caller is, for example an access token. Runs before each call.</summary>
/// <param name="context">The call.</param>
/// <param name="metadata">Takes the metadata.</param>
public delegate Task AsyncAuthInterceptor(AuthInterceptorContext context, Metadata metadata);

/// <summary>The call that credentials are asked for.</summary>
public class AuthInterceptorContext
{
    /// <summary>Describes a call.</summary>
    /// <param name="serviceUrl">The service's URL, for example <c>https://example.com/vibe.documents.v1.DocumentsService</c>.</param>
    /// <param name="methodName">The method's name without its service.</param>
    public AuthInterceptorContext(string serviceUrl, string methodName)
        : this(serviceUrl, methodName, CancellationToken.None)
    {
    }

    /// <summary>Describes a call.</summary>
    /// <param name="serviceUrl">The service's URL.</param>
    /// <param name="methodName">The method's name without its service.</param>
    /// <param name="cancellationToken">Fires when the call is cancelled.</param>
    public AuthInterceptorContext(string serviceUrl, string methodName, CancellationToken cancellationToken)
    {
        ArgumentNullException.ThrowIfNull(serviceUrl);
        ArgumentNullException.ThrowIfNull(methodName);
        ServiceUrl = serviceUrl;
        MethodName = methodName;
        CancellationToken = cancellationToken;
    }

    /// <summary>The service's URL.</summary>
    public string ServiceUrl { get; }

    /// <summary>The method's name without its service.</summary>
    public string MethodName { get; }

    /// <summary>Fires when the call is cancelled.</summary>
    public CancellationToken CancellationToken { get; }
}

/// <summary>Credentials of a call, sent as metadata.</summary>
public abstract class CallCredentials
{
    /// <summary>Credentials that another type describes to a configurator.</summary>
    protected CallCredentials()
    {
    }

    /// <summary>Credentials made of several, applied in order.</summary>
    /// <param name="credentials">At least two.</param>
    public static CallCredentials Compose(params CallCredentials[] credentials) => new CompositeCallCredentials(credentials);

    /// <summary>Credentials that a function adds as metadata.</summary>
    /// <param name="interceptor">Runs before each call; throwing fails the call.</param>
    public static CallCredentials FromInterceptor(AsyncAuthInterceptor interceptor) => new AsyncAuthInterceptorCredentials(interceptor);

    /// <summary>Describes these credentials to a channel.</summary>
    /// <param name="configurator">Takes the description.</param>
    /// <param name="state">Handed through.</param>
    public abstract void InternalPopulateConfiguration(CallCredentialsConfiguratorBase configurator, object? state);

    private sealed class CompositeCallCredentials : CallCredentials
    {
        private readonly CallCredentials[] _credentials;

        public CompositeCallCredentials(CallCredentials[] credentials)
        {
            ArgumentNullException.ThrowIfNull(credentials);
            if (credentials.Length < 2)
            {
                throw new ArgumentException("Compose at least two credentials.", nameof(credentials));
            }

            _credentials = [.. credentials];
        }

        public override void InternalPopulateConfiguration(CallCredentialsConfiguratorBase configurator, object? state) =>
            configurator.SetCompositeCredentials(state, _credentials);
    }

    private sealed class AsyncAuthInterceptorCredentials : CallCredentials
    {
        private readonly AsyncAuthInterceptor _interceptor;

        public AsyncAuthInterceptorCredentials(AsyncAuthInterceptor interceptor)
        {
            ArgumentNullException.ThrowIfNull(interceptor);
            _interceptor = interceptor;
        }

        public override void InternalPopulateConfiguration(CallCredentialsConfiguratorBase configurator, object? state) =>
            configurator.SetAsyncAuthInterceptorCredentials(state, _interceptor);
    }
}

/// <summary>Takes the description of <see cref="CallCredentials"/>.</summary>
public abstract class CallCredentialsConfiguratorBase
{
    /// <summary>The credentials are made of several.</summary>
    /// <param name="state">Handed through.</param>
    /// <param name="credentials">The parts, in order.</param>
    public abstract void SetCompositeCredentials(object? state, IReadOnlyList<CallCredentials> credentials);

    /// <summary>The credentials are a function.</summary>
    /// <param name="state">Handed through.</param>
    /// <param name="interceptor">The function.</param>
    public abstract void SetAsyncAuthInterceptorCredentials(object? state, AsyncAuthInterceptor interceptor);
}
