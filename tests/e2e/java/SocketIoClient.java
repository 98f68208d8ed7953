import io.socket.client.Ack;
import io.socket.client.IO;
import io.socket.client.Manager;
import io.socket.client.Socket;
import java.io.BufferedReader;
import java.io.InputStreamReader;
import java.io.PrintStream;
import java.lang.reflect.Field;
import java.util.HashMap;
import java.util.Iterator;
import java.util.Map;
import org.json.JSONArray;
import org.json.JSONException;
import org.json.JSONObject;

/**
 * Lets a test drive socket.io-client of Java, as it comes from the registry: 1.x and 2.x alike, whichever is in the class path.
 *
 * Commands are lines of JSON on standard input, for any number of clients: {"client": n, "connect": url} and, if wanted, "transports",
 * "auth"; {"client": n, "ask": event, "args": [...], "id": n}; {"client": n, "id": n, "transport": true}; {"client": n, "close": true}.
 * What happens is told by lines of JSON on standard output: {"client": n, "event": name, "args": [...]} and {"client": n, "id": n,
 * "answer": [...]}. Ends with its input.
 */
public class SocketIoClient {
  private static final String[] EVENTS = {"connect", "disconnect", "connect_error", "error", "onChat", "onAdd", "onLeave", "onKick"};
  private static final Map<Integer, Socket> CLIENTS = new HashMap<>();
  private static PrintStream out;

  public static void main(String[] arguments) throws Exception {
    out = new PrintStream(System.out, true, "UTF-8");
    BufferedReader lines = new BufferedReader(new InputStreamReader(System.in, "UTF-8"));
    for (String line; (line = lines.readLine()) != null;) obey(new JSONObject(line));
    System.exit(0);  // The clients have threads that would go on.
  }

  private static void obey(JSONObject command) throws Exception {
    int number = command.getInt("client");
    if (command.has("connect")) {
      CLIENTS.put(number, connect(number, command));
    } else if (command.has("ask")) {
      JSONArray given = command.getJSONArray("args");
      Object[] args = new Object[given.length()];
      for (int i = 0; i < args.length; ++i) args[i] = given.get(i);
      CLIENTS.get(number).emit(command.getString("ask"), args, (Ack) answer -> answer(command, answer));
    } else if (command.has("transport")) {
      // Neither major says it by a public method.
      Object engine = field(Manager.class, CLIENTS.get(number).io(), "engine");
      Object transport = field(io.socket.engineio.client.Socket.class, engine, "transport");
      answer(command, ((io.socket.engineio.client.Transport) transport).name);
    } else if (command.has("close")) {
      CLIENTS.remove(number).disconnect();
    }
  }

  private static Socket connect(int number, JSONObject command) throws Exception {
    IO.Options options = new IO.Options();
    options.forceNew = true;
    options.reconnectionDelay = 100;
    if (command.has("transports")) {
      JSONArray transports = command.getJSONArray("transports");
      options.transports = new String[transports.length()];
      for (int i = 0; i < transports.length(); ++i) options.transports[i] = transports.getString(i);
    }
    if (command.has("auth")) {
      JSONObject auth = command.getJSONObject("auth");
      Map<String, String> map = new HashMap<>();
      for (Iterator<?> keys = auth.keys(); keys.hasNext();) {
        String key = (String) keys.next();
        map.put(key, auth.getString(key));
      }
      IO.Options.class.getField("auth").set(options, map);  // 1.x has none.
    }
    Socket socket = IO.socket(command.getString("connect"), options);
    for (String event : EVENTS) {
      socket.on(event, args -> tell(number, "event", event, "args", list(args)));
    }
    return socket.connect();
  }

  private static Object field(Class<?> type, Object object, String name) throws Exception {
    Field field = type.getDeclaredField(name);
    field.setAccessible(true);
    return field.get(object);
  }

  private static void answer(JSONObject command, Object... answer) {
    tell(command.optInt("client"), "id", command.optInt("id"), "answer", list(answer));
  }

  private static JSONArray list(Object[] values) {
    JSONArray list = new JSONArray();
    for (Object value : values) list.put(value instanceof Exception ? value.toString() : value);
    return list;
  }

  // Events come on threads of the clients' own.
  private static synchronized void tell(int number, String key, Object value, String secondKey, Object secondValue) {
    try {
      out.println(new JSONObject().put("client", number).put(key, value).put(secondKey, secondValue));
    } catch (JSONException error) {
      throw new IllegalStateException(error);
    }
  }
}
